// expect: kmodld: Config::percpu is not a percpu_policy; see kmodld/policy/percpu.hpp
// SPDX-License-Identifier: MIT
// A per-CPU policy that knows no alignment.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>

struct wrong {
  kmodld::address allocate(kmodld::u64) noexcept { return {}; }
};

struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = kmodld::no_memory_allocator;
  using symbol_resolver = kmodld::no_symbols;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
#ifdef GOOD
  using percpu = kmodld::percpu_archetype;
#else
  using percpu = wrong;
#endif
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p;
  return &p;
}
