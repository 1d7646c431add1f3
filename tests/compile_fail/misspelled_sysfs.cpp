// expect: kmodld: a Config names its sysfs policy `introspection`
// SPDX-License-Identifier: MIT
// `sysfs` in place of `introspection`.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>

struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = kmodld::no_memory_allocator;
  using symbol_resolver = kmodld::no_symbols;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
#ifdef GOOD
  using introspection = kmodld::no_introspection;
#else
  using sysfs = kmodld::no_introspection;
#endif
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p;
  return &p;
}
