// expect: kmodld: a Config names its hooks `hooks`
// SPDX-License-Identifier: MIT
// `hook` in place of `hooks`.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>

struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = kmodld::no_memory_allocator;
  using symbol_resolver = kmodld::no_symbols;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
#ifdef GOOD
  using hooks = kmodld::no_hooks;
#else
  using hook = kmodld::no_hooks;
#endif
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p;
  return &p;
}
