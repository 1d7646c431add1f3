// expect: kmodld: Config::lock lets loads run at once, but the linux_parameters
// SPDX-License-Identifier: MIT
// Loads that run at once, and share a list that nothing guards.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>
#include <kmodld/linux/parameters.hpp>

struct mutex : kmodld::no_lock {};
mutex the_mutex;
using memory = kmodld::no_memory_allocator;
template <class... Lock>
using parameters_with =
    kmodld::linux_parameters<kmodld::arch::x86_64::format, memory, kmodld::standard_parameters_only,
                             kmodld::no_diagnostics, Lock...>;
#ifdef GOOD
using parameters_type = parameters_with<mutex&>;
parameters_type the_parameters{{}, {}, {}, {}, the_mutex};
#else
using parameters_type = parameters_with<>;
parameters_type the_parameters{{}, {}};
#endif

struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = kmodld::no_memory_allocator;
  using symbol_resolver = kmodld::no_symbols;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
  using lock = mutex&;
  using parameters = parameters_type&;
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p{.lock = the_mutex, .parameters = the_parameters};
  return &p;
}
