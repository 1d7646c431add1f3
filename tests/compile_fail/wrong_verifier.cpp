// expect: kmodld: Config::verifier is not a verifier_policy; see kmodld/policy/verifier.hpp
// SPDX-License-Identifier: MIT
// A verifier that does not see the signature.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>

struct wrong {
  bool verify(kmodld::byte_view) noexcept { return true; }
};

struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = kmodld::no_memory_allocator;
  using symbol_resolver = kmodld::no_symbols;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
#ifdef GOOD
  using verifier = kmodld::no_keys_verifier;
#else
  using verifier = wrong;
#endif
};

kmodld::policies<config>* use() {
  static kmodld::policies<config> p;
  return &p;
}
