// SPDX-License-Identifier: MIT
#include "corpora/linker.hpp"

#include <kmodld/arch/aarch64.hpp>

namespace kmodld::corpora {
namespace {

struct kernel {
  static constexpr places where{0xffff800008000000, 32 << 20, 0xffff800000c00000, 64 << 20,
                                0xffff800009819000};
};

} // namespace

extern linker const aarch64_core_init = linker_of<kernel, arch::aarch64, abi::linux_6_1>;

} // namespace kmodld::corpora
