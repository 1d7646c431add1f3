// expect: kmodld: Config::introspection is not an introspection_policy; see
// SPDX-License-Identifier: MIT
// An introspection that knows no parts.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>

struct wrong {
  int create(kmodld::module&) noexcept { return 0; }
};

struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = kmodld::no_memory_allocator;
  using symbol_resolver = kmodld::no_symbols;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
#ifdef GOOD
  using introspection = kmodld::no_introspection;
#else
  using introspection = wrong;
#endif
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p;
  return &p;
}
