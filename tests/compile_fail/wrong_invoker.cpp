// expect: kmodld: Config::invoker is not an invoker_policy; see kmodld/policy/invoker.hpp
// SPDX-License-Identifier: MIT
// An invoker that has init alone.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>

struct wrong {
  int init(kmodld::address) noexcept { return 0; }
};

struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = kmodld::no_memory_allocator;
  using symbol_resolver = kmodld::no_symbols;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
#ifdef GOOD
  using invoker = kmodld::no_invoker;
#else
  using invoker = wrong;
#endif
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p;
  return &p;
}
