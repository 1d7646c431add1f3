// SPDX-License-Identifier: MIT
#include "corpora/linker.hpp"

#include <kmodld/arch/loongarch64.hpp>

namespace kmodld::corpora {
namespace {

struct kernel {
  static constexpr places where{0x9000000000200000, 40 << 20, 0xffff800000000000, 128 << 20,
                                0x9000000002000000};
};

} // namespace

extern linker const loongarch64_seven_kinds = linker_of<kernel, arch::loongarch64, abi::linux_6_12>;

} // namespace kmodld::corpora
