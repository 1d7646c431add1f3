// expect: kmodld: a Config names its parameter policy `parameters`
// SPDX-License-Identifier: MIT
// `params` in place of `parameters`.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>

struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = kmodld::no_memory_allocator;
  using symbol_resolver = kmodld::no_symbols;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
#ifdef GOOD
  using parameters = kmodld::no_parameters;
#else
  using params = kmodld::no_parameters;
#endif
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p;
  return &p;
}
