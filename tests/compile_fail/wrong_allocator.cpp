// expect: kmodld: Config::allocator is not an allocator_policy; it needs noexcept allocate(request,
// SPDX-License-Identifier: MIT
// An allocator that gives bytes like malloc.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>

struct wrong {
  void* allocate(kmodld::u64) { return nullptr; }
  void release(void*) noexcept {}
};

struct config {
  using arch = kmodld::arch::x86_64;
  using symbol_resolver = kmodld::no_symbols;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
#ifdef GOOD
  using allocator = kmodld::no_memory_allocator;
#else
  using allocator = wrong;
#endif
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p;
  return &p;
}
