// SPDX-License-Identifier: MIT
#include "corpora/linker.hpp"

#include <kmodld/arch/mips.hpp>

namespace kmodld::corpora {
namespace {

struct kernel {
  static constexpr places where{0xffffffff80100000, 40 << 20, 0xffffffffc0a00000, 96 << 20,
                                0xffffffff82600000};
};

} // namespace

extern linker const mips64_core_init = linker_of<kernel, arch::mips64el, abi::linux_6_1>;

} // namespace kmodld::corpora
