// expect: kmodld: Config::reclaimer is not a reclaimer_policy; see kmodld/policy/reclaimer.hpp
// SPDX-License-Identifier: MIT
// A reclaimer that has no readers.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>

struct wrong {
  void synchronize() noexcept {}
};

struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = kmodld::no_memory_allocator;
  using symbol_resolver = kmodld::no_symbols;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
#ifdef GOOD
  using reclaimer = kmodld::no_reclaimer;
#else
  using reclaimer = wrong;
#endif
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p;
  return &p;
}
