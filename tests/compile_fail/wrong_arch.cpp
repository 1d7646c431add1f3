// expect: kmodld: Config::arch is not an architecture
// SPDX-License-Identifier: MIT
// An architecture that has a table, and nothing else.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>

struct wrong {
  static constexpr int rules[1] = {};
};

struct config {
  using allocator = kmodld::no_memory_allocator;
  using symbol_resolver = kmodld::no_symbols;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
#ifdef GOOD
  using arch = kmodld::arch::x86_64;
#else
  using arch = wrong;
#endif
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p;
  return &p;
}
