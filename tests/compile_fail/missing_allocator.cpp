// expect: kmodld: Config::allocator is missing
// SPDX-License-Identifier: MIT
// A Config without one of the five policies.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>

struct config {
  using arch = kmodld::arch::x86_64;
#ifdef GOOD
  using allocator = kmodld::no_memory_allocator;
#endif
  using symbol_resolver = kmodld::no_symbols;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p;
  return &p;
}
