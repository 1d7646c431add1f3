// expect: kmodld: Config::lock is not a lock_policy; see kmodld/policy/lock.hpp
// SPDX-License-Identifier: MIT
// A lock that cannot wait.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>

struct wrong {
  void lock() noexcept {}
  void unlock() noexcept {}
};

struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = kmodld::no_memory_allocator;
  using symbol_resolver = kmodld::no_symbols;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
#ifdef GOOD
  using lock = kmodld::no_lock;
#else
  using lock = wrong;
#endif
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p;
  return &p;
}
