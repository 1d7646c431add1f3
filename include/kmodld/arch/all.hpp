// SPDX-License-Identifier: MIT
// Every architecture, as one list: tools that choose by e_machine and tests go through it.
#pragma once

#include <kmodld/arch/aarch64.hpp>
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
    x86_64, aarch64>;

} // namespace kmodld::arch
