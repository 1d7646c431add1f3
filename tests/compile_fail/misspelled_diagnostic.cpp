// expect: kmodld: a Config names its log `diagnostics`
// SPDX-License-Identifier: MIT
// `diagnostic` in place of `diagnostics`.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>

struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = kmodld::no_memory_allocator;
  using symbol_resolver = kmodld::no_symbols;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
#ifdef GOOD
  using diagnostics = kmodld::no_diagnostics;
#else
  using diagnostic = kmodld::no_diagnostics;
#endif
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p;
  return &p;
}
