// SPDX-License-Identifier: MIT
// The architecture that the including program is compiled for: what plugin hosts and JIT compilers
// load. A compiler's target decides, not the machine it runs on.
#pragma once

#if defined(__x86_64__) && defined(__LP64__)
#include <kmodld/arch/x86_64.hpp>
namespace kmodld::arch {
using native = x86_64;
}
#elif defined(__i386__)
#include <kmodld/arch/i386.hpp>
namespace kmodld::arch {
using native = i386;
}
#elif defined(__aarch64__) && defined(__LP64__) && !defined(__AARCH64EB__)
#include <kmodld/arch/aarch64.hpp>
namespace kmodld::arch {
using native = aarch64;
}
#elif defined(__arm__) && !defined(__ARMEB__)
#include <kmodld/arch/arm.hpp>
namespace kmodld::arch {
using native = arm;
}
#elif defined(__riscv) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#include <kmodld/arch/riscv.hpp>
namespace kmodld::arch {
using native = riscv<__riscv_xlen>;
}
#elif defined(__powerpc64__) && _CALL_ELF == 2
#include <kmodld/arch/powerpc64.hpp>
namespace kmodld::arch {
#if defined(__LITTLE_ENDIAN__)
using native = powerpc64le;
#else
using native = powerpc64;
#endif
} // namespace kmodld::arch
#elif defined(__s390x__)
#include <kmodld/arch/s390x.hpp>
namespace kmodld::arch {
using native = s390x;
}
#elif defined(__loongarch_lp64)
#include <kmodld/arch/loongarch64.hpp>
namespace kmodld::arch {
using native = loongarch64;
}
#elif defined(__mips__) &&                                                                         \
    (defined(_ABI64) && _MIPS_SIM == _ABI64 || defined(_ABIO32) && _MIPS_SIM == _ABIO32)
#include <kmodld/arch/mips.hpp>
namespace kmodld::arch {
#if _MIPS_SIM == _ABI64
#if defined(__MIPSEL__)
using native = mips64el;
#else
using native = mips64;
#endif
#elif defined(__MIPSEL__)
using native = mipsel;
#else
using native = mips;
#endif
} // namespace kmodld::arch
#elif defined(__m68k__)
#include <kmodld/arch/m68k.hpp>
namespace kmodld::arch {
using native = m68k;
}
#else
#error kmodld has no architecture for the ABI that this is compiled for
#endif
