// SPDX-License-Identifier: MIT
#include "corpora/linker.hpp"

#include <kmodld/arch/powerpc64.hpp>

namespace kmodld::corpora {
namespace {

struct kernel {
  static constexpr places where{0xc000000000000000, 34 << 20, 0xc008000000210000, 100 << 20,
                                0xc0000000021ba000};
  static constexpr kernel_settings settings{.kernel_toc = {0xc000000001148100}};
};

} // namespace

extern linker const powerpc64_core_init = linker_of<kernel, arch::powerpc64le, abi::linux_6_1>;

} // namespace kmodld::corpora
