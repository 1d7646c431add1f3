// expect: kmodld: Config::protector is missing
// SPDX-License-Identifier: MIT
// A Config without one of the five policies.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>

struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = kmodld::no_memory_allocator;
  using symbol_resolver = kmodld::no_symbols;
#ifdef GOOD
  using protector = kmodld::no_protection;
#endif
  using notifier = kmodld::no_notifier;
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p;
  return &p;
}
