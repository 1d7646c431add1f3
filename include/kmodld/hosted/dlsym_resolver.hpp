// SPDX-License-Identifier: MIT
// Symbol resolver: everything that the program and its shared libraries export.
#pragma once

#include <kmodld/policy/symbol_resolver.hpp>
#include <kmodld/text.hpp>

#include <dlfcn.h>

namespace kmodld::hosted {

/// Answers from dlsym(RTLD_DEFAULT, ...): the program must be linked with -rdynamic for its own
/// symbols to be found. Nothing is GPL-only and nothing has a CRC. Libraries mostly lie farther
/// away than x86-64's small code model reaches.
class dlsym_resolver {
public:
  /// find() needs no lock.
  static constexpr bool for_readers = true;

  bool find(std::string_view name, bool, exported_symbol& out) noexcept {
    char terminated[512]; // the longest name of a kernel
    if (name.empty() || copy_text(terminated, name) != name.size() ||
        index_of(name, '\0') != name.size())
      return false;
    void* value = ::dlsym(RTLD_DEFAULT, terminated);
    if (value == nullptr)
      return false;
    out = {};
    out.value = {reinterpret_cast<std::uintptr_t>(value)};
    return true;
  }
};
static_assert(symbol_resolver_policy<dlsym_resolver>);

} // namespace kmodld::hosted
