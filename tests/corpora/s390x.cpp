// SPDX-License-Identifier: MIT
#include "corpora/linker.hpp"

#include <kmodld/arch/s390x.hpp>

namespace kmodld::corpora {
namespace {

struct kernel {
  static constexpr places where{0x100000, 15 << 20, 0x3ff7fd00000, 32 << 20, 0xfe0000};
};

} // namespace

extern linker const s390x_core_init = linker_of<kernel, arch::s390x, abi::linux_6_1>;

} // namespace kmodld::corpora
