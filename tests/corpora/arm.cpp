// SPDX-License-Identifier: MIT
#include "corpora/linker.hpp"

#include <kmodld/arch/arm.hpp>

namespace kmodld::corpora {
namespace {

struct kernel {
  static constexpr places where{0xc0300000, 17 << 20, 0xbf000000, 16 << 20, 0xc1334000};
  static constexpr kernel_settings settings{.ftrace_caller = {0xc0312a38}, .mcount = {0xc0312a2c}};
};

} // namespace

extern linker const arm_core_init = linker_of<kernel, arch::arm, abi::linux_6_1>;

} // namespace kmodld::corpora
