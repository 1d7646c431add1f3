// expect: kmodld: a Config names its tracer `tracer`
// SPDX-License-Identifier: MIT
// `trace` in place of `tracer`.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>

struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = kmodld::no_memory_allocator;
  using symbol_resolver = kmodld::no_symbols;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
#ifdef GOOD
  using tracer = kmodld::no_tracer;
#else
  using trace = kmodld::no_tracer;
#endif
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p;
  return &p;
}
