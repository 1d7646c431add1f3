// SPDX-License-Identifier: MIT
#include "corpora/linker.hpp"

#include <kmodld/arch/i386.hpp>

namespace kmodld::corpora {
namespace {

struct kernel {
  static constexpr places where{0xc1000000, 16 << 20, 0xf7800000, 24 << 20, 0xc1e92558};
};

} // namespace

extern linker const i386_core_init = linker_of<kernel, arch::i386, abi::linux_6_1>;

} // namespace kmodld::corpora
