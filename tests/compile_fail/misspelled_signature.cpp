// expect: kmodld: a Config names its signature policy `verifier`
// SPDX-License-Identifier: MIT
// `signature` in place of `verifier`.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>

struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = kmodld::no_memory_allocator;
  using symbol_resolver = kmodld::no_symbols;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
#ifdef GOOD
  using verifier = kmodld::no_keys_verifier;
#else
  using signature = kmodld::no_keys_verifier;
#endif
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p;
  return &p;
}
