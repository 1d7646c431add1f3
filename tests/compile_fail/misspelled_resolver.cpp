// expect: kmodld: a Config names its symbols `symbol_resolver`
// SPDX-License-Identifier: MIT
// `resolver` in place of `symbol_resolver`.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>

struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = kmodld::no_memory_allocator;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
#ifdef GOOD
  using symbol_resolver = kmodld::no_symbols;
#else
  using resolver = kmodld::no_symbols;
#endif
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p;
  return &p;
}
