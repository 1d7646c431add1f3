// expect: kmodld: Config::lock cannot be moved; name a reference to it
// SPDX-License-Identifier: MIT
// A lock by value that cannot be moved.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>

struct mutex : kmodld::no_lock {
  mutex() = default;
  mutex(mutex const&) = delete;
};
mutex the_mutex;

struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = kmodld::no_memory_allocator;
  using symbol_resolver = kmodld::no_symbols;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
#ifdef GOOD
  using lock = mutex&;
#else
  using lock = mutex;
#endif
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p{.lock = the_mutex};
  return &p;
}
