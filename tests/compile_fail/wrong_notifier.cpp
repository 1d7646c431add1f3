// expect: kmodld: Config::notifier is not a notifier_policy; it needs noexcept notify(event,
// SPDX-License-Identifier: MIT
// A notifier that cannot refuse.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>

struct wrong {
  void notify(kmodld::module_event, kmodld::module&) noexcept {}
};

struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = kmodld::no_memory_allocator;
  using symbol_resolver = kmodld::no_symbols;
  using protector = kmodld::no_protection;
#ifdef GOOD
  using notifier = kmodld::no_notifier;
#else
  using notifier = wrong;
#endif
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p;
  return &p;
}
