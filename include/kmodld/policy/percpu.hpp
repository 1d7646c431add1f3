// SPDX-License-Identifier: MIT
// Per-CPU policy: instances of .data..percpu (percpu_modalloc). Without it the host is a
// uniprocessor: the section is ordinary data.
#pragma once

#include <kmodld/text.hpp>

#include <concepts>

namespace kmodld {

template <class P>
concept percpu_policy = requires(P& p, u64 size, u64 align, address base, byte_view bytes) {
  // The address that symbols of the section count from, or 0: no room. size > 0, align a power of
  // two of at most a page.
  { p.allocate(size, align) } noexcept -> std::same_as<address>;
  { p.release(base, size) } noexcept;
  // Copies the initial bytes into the instance of every possible CPU.
  { p.initialise(base, bytes) } noexcept;
};

/// Marks the absence of the policy.
struct uniprocessor {};

struct percpu_archetype {
  address allocate(u64, u64) noexcept { return {}; }
  void release(address, u64) noexcept {}
  void initialise(address, byte_view) noexcept {}
};
static_assert(percpu_policy<percpu_archetype>);

} // namespace kmodld
