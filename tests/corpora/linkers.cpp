// SPDX-License-Identifier: MIT
#include "corpora/link.hpp"

namespace kmodld::corpora {

// Each is defined in the file of its architecture.
extern linker const x86_64_core_init, x86_64_seven_kinds, i386_core_init, aarch64_core_init,
    arm_core_init, powerpc64_core_init, s390x_core_init, mips64_core_init, riscv64_seven_kinds,
    loongarch64_seven_kinds;

std::span<linker const* const> linkers() {
  static linker const* const all[] = {
      &x86_64_core_init,    &x86_64_seven_kinds,     &i386_core_init,  &aarch64_core_init,
      &arm_core_init,       &powerpc64_core_init,    &s390x_core_init, &mips64_core_init,
      &riscv64_seven_kinds, &loongarch64_seven_kinds};
  return all;
}

} // namespace kmodld::corpora
