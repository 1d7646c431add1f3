// SPDX-License-Identifier: MIT
// One comparison an architecture: true if there was nothing to complain of.
#pragma once

#include "linkers/link.hpp"

namespace kmodld::test::linkers {

bool x86_64(linker const&);
bool i386(linker const&);
bool aarch64(linker const&);
bool s390x(linker const&);
bool powerpc64le(linker const&);
bool powerpc64(linker const&);
bool mips64el(linker const&);
bool mips64(linker const&);
bool mipsel(linker const&);
bool mips(linker const&);
bool arm(linker const&);
bool riscv64(linker const&);
bool riscv32(linker const&);
bool loongarch64(linker const&);
bool m68k(linker const&);

} // namespace kmodld::test::linkers
