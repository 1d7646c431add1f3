// expect: kmodld: Config::protector is not a protector_policy; it needs noexcept protect(batch) ->
// SPDX-License-Identifier: MIT
// A protector that may throw.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>

struct wrong {
  int protect(std::span<kmodld::protection const>) { return 0; } // may throw
  void flush_icache(kmodld::region) noexcept {}
};

struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = kmodld::no_memory_allocator;
  using symbol_resolver = kmodld::no_symbols;
  using notifier = kmodld::no_notifier;
#ifdef GOOD
  using protector = kmodld::no_protection;
#else
  using protector = wrong;
#endif
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p;
  return &p;
}
