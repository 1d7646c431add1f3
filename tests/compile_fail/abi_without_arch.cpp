// expect: kmodld: Config::abi lacks what Linux has otherwise on this architecture
// SPDX-License-Identifier: MIT
// An abi without what the architecture has otherwise.
#include <kmodld/arch/aarch64.hpp>
#include <kmodld/config.hpp>

struct config {
  using arch = kmodld::arch::aarch64;
  using allocator = kmodld::no_memory_allocator;
  using symbol_resolver = kmodld::no_symbols;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
#ifdef GOOD
  using abi = kmodld::abi::linux_of<arch, kmodld::abi::linux_6_12>;
#else
  using abi = kmodld::abi::linux_6_12;
#endif
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p;
  return &p;
}
