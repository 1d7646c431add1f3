// expect: kmodld: Config::symbol_resolver has bounds but is not a bounded_resolver
// SPDX-License-Identifier: MIT
// A resolver whose bounds() would be left out without a word.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>

struct resolver : kmodld::no_symbols {
#ifdef GOOD
  kmodld::reach_window bounds() const noexcept { return {}; }
#else
  kmodld::reach_window bounds() noexcept { return {}; }
#endif
};

struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = kmodld::no_memory_allocator;
  using symbol_resolver = resolver;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p;
  return &p;
}
