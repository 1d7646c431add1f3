// expect: kmodld: a Config names its reclaimer `reclaimer`
// SPDX-License-Identifier: MIT
// `rcu` in place of `reclaimer`.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>

struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = kmodld::no_memory_allocator;
  using symbol_resolver = kmodld::no_symbols;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
#ifdef GOOD
  using reclaimer = kmodld::no_reclaimer;
#else
  using rcu = kmodld::no_reclaimer;
#endif
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p;
  return &p;
}
