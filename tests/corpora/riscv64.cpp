// SPDX-License-Identifier: MIT
#include "corpora/linker.hpp"

#include <kmodld/arch/riscv.hpp>

namespace kmodld::corpora {
namespace {

struct kernel {
  static constexpr places where{0xffffffff80000000, 36 << 20, 0xffffffff02000000, 160 << 20,
                                0xffffffff82300000};
};

} // namespace

extern linker const riscv64_seven_kinds = linker_of<kernel, arch::riscv64, abi::linux_6_12>;

} // namespace kmodld::corpora
