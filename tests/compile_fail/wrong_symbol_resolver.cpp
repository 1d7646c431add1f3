// expect: kmodld: Config::symbol_resolver is not a symbol_resolver_policy; it needs noexcept
// SPDX-License-Identifier: MIT
// A symbol resolver that answers an address.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>

struct wrong {
  kmodld::u64 find(std::string_view) noexcept { return 0; }
};

struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = kmodld::no_memory_allocator;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
#ifdef GOOD
  using symbol_resolver = kmodld::no_symbols;
#else
  using symbol_resolver = wrong;
#endif
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p;
  return &p;
}
