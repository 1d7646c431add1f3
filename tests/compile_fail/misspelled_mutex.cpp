// expect: kmodld: a Config names its lock `lock`
// SPDX-License-Identifier: MIT
// `mutex` in place of `lock`.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>

struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = kmodld::no_memory_allocator;
  using symbol_resolver = kmodld::no_symbols;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
#ifdef GOOD
  using lock = kmodld::no_lock;
#else
  using mutex = kmodld::no_lock;
#endif
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p;
  return &p;
}
