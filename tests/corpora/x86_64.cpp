// SPDX-License-Identifier: MIT
#include "corpora/linker.hpp"

#include <kmodld/arch/x86_64.hpp>

namespace kmodld::corpora {
namespace {

struct kernel {
  static constexpr places where{0xffffffff81000000, 40 << 20, 0xffffffffc0200000, 48 << 20,
                                0x35000};
};

} // namespace

extern linker const x86_64_core_init = linker_of<kernel, arch::x86_64, abi::linux_6_1>;
extern linker const x86_64_seven_kinds = linker_of<kernel, arch::x86_64, abi::linux_6_12>;

} // namespace kmodld::corpora
