// SPDX-License-Identifier: MIT
// Invoker policy: how code of a module is called.
#pragma once

#include <kmodld/address.hpp>

#include <concepts>

namespace kmodld {

struct module;

template <class P>
concept invoker_policy = requires(P& invoker, module& m, address function) {
  // Calls the init function, int(void); returns what it returned, negative for an errno.
  { invoker.init(m, function) } noexcept -> std::same_as<int>;
  // Calls the exit function, void(void).
  { invoker.exit(m, function) } noexcept;
  // Calls a constructor, void(void).
  { invoker.construct(m, function) } noexcept;
};

/// Calls through a host function pointer: for hosts in which target address and pointer coincide.
struct direct_invoker {
  static auto pointer(address a) noexcept {
    return reinterpret_cast<int (*)()>(static_cast<std::uintptr_t>(a.value));
  }
  int init(module&, address function) noexcept { return pointer(function)(); }
  void exit(module&, address function) noexcept { pointer(function)(); }
  void construct(module&, address function) noexcept { pointer(function)(); }
};
static_assert(invoker_policy<direct_invoker>);

/// Runs nothing: for linkers and tools. Every init succeeds.
struct no_invoker {
  int init(module&, address) noexcept { return 0; }
  void exit(module&, address) noexcept {}
  void construct(module&, address) noexcept {}
};
using invoker_archetype = no_invoker;
static_assert(invoker_policy<no_invoker>);

} // namespace kmodld
