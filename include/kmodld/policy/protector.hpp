// SPDX-License-Identifier: MIT
// Protector policy: permissions of memory and coherence of instruction caches.
#pragma once

#include <kmodld/text.hpp>

#include <concepts>

namespace kmodld {

/// There is no writable and executable.
enum class permission : u8 { read, read_write, read_execute };

/// Page-aligned memory and the permission it shall have.
struct protection {
  region memory;
  permission allowed;
};

/// A host's memory management. Batches come in Linux's order (complete_formation: read-only text
/// and data first, then what must not execute, then text becomes executable; do_init_module: what
/// is read-only after init). Memory of the allocator starts as read_write.
template <class P>
concept protector_policy = requires(P& p, std::span<protection const> batch, region code) {
  // 0, or an errno; then the load fails and the memory is released as it is.
  { p.protect(batch) } noexcept -> std::same_as<int>;
  // Makes instructions written through code.host visible to execution at code.target.
  { p.flush_icache(code) } noexcept -> std::same_as<void>;
};

/// A protector that can write to memory that is already read-only or executable, by a second
/// mapping or a temporary window, never through a page that is writable and executable.
template <class P>
concept patching_protector = requires(P& p, address where, byte_view bytes) {
  // 0, or an errno and nothing is changed.
  { p.patch(where, bytes) } noexcept -> std::same_as<int>;
};

/// The least that satisfies the concept, and the null model: for hosts without memory protection.
struct no_protection {
  int protect(std::span<protection const>) noexcept { return 0; }
  void flush_icache(region) noexcept {}
};
using protector_archetype = no_protection;
static_assert(protector_policy<no_protection>);

} // namespace kmodld
