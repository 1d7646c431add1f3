// expect: kmodld: Config::tracer is not a tracer_policy; see kmodld/policy/tracer.hpp
// SPDX-License-Identifier: MIT
// A tracer that hears nothing of undos.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>

struct wrong {
  int enter(std::string_view) noexcept { return 0; }
  void leave(std::string_view, kmodld::errc) noexcept {}
};

struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = kmodld::no_memory_allocator;
  using symbol_resolver = kmodld::no_symbols;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
#ifdef GOOD
  using tracer = kmodld::no_tracer;
#else
  using tracer = wrong;
#endif
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p;
  return &p;
}
