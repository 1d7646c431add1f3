// expect: kmodld: a Config names its per-CPU policy `percpu`
// SPDX-License-Identifier: MIT
// `per_cpu` in place of `percpu`.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>

struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = kmodld::no_memory_allocator;
  using symbol_resolver = kmodld::no_symbols;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
#ifdef GOOD
  using percpu = kmodld::percpu_archetype;
#else
  using per_cpu = kmodld::percpu_archetype;
#endif
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p;
  return &p;
}
