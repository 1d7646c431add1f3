// SPDX-License-Identifier: MIT
// Every architecture, as one list: tools that choose by e_machine and tests go through it.
#pragma once

#include <kmodld/arch/aarch64.hpp>
#include <kmodld/arch/arm.hpp>
#include <kmodld/arch/i386.hpp>
#include <kmodld/arch/loongarch64.hpp>
#include <kmodld/arch/m68k.hpp>
#include <kmodld/arch/mips.hpp>
#include <kmodld/arch/powerpc64.hpp>
#include <kmodld/arch/riscv.hpp>
#include <kmodld/arch/s390x.hpp>
#include <kmodld/arch/x86_64.hpp>

namespace kmodld::arch {

template <class... A>
struct list {
  /// Calls f.template operator()<A>() for each.
  template <class F>
  static void for_each(F&& f) {
    (f.template operator()<A>(), ...);
  }
};

using all = list<
    // one line an architecture
    riscv64, riscv32,              //
    powerpc64le, powerpc64, s390x, //
    x86_64, i386, aarch64, arm, loongarch64, mips64el, mips64, mipsel, mips, m68k>;

} // namespace kmodld::arch
