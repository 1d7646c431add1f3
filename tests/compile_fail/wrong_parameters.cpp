// expect: kmodld: Config::parameters is not a parameters_policy; see kmodld/policy/parameters.hpp
// SPDX-License-Identifier: MIT
// A policy of parameters that knows texts alone.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>

struct wrong {
  int set(std::string_view, std::string_view) noexcept { return 0; }
};

struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = kmodld::no_memory_allocator;
  using symbol_resolver = kmodld::no_symbols;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
#ifdef GOOD
  using parameters = kmodld::no_parameters;
#else
  using parameters = wrong;
#endif
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p;
  return &p;
}
