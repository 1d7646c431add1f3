// SPDX-License-Identifier: MIT
// What module_finalize works with: the module's sections by name, their tables as values, and the
// bytes at target addresses.
//
//   int finalize(auto const& module) noexcept { // a hook, or a static function of an architecture
//     for (alternative const& a : module.template entries<alt_instr>(".altinstructions"))
//       ...
//   }
#pragma once

#include <kmodld/layout/section_table.hpp>
#include <kmodld/linux/table_view.hpp>

namespace kmodld {

struct kernel_settings;

/// Of one load. Everything that it names lives until module_finalize has returned; the module and
/// its regions live on.
template <class Arch>
struct finalize_context {
  using format = typename Arch::format;

  module& record;
  section_table const& sections;
  typename Arch::state& state; ///< GOT, PLT and stubs
  kernel_settings const& settings;

  operator module&() const noexcept { return record; }

  /// The memory of the first section of this name, with SHF_ALLOC or without, as Linux looks it up
  /// here (on x86 it takes the last). Null host and size 0 where there is none.
  region section(std::string_view name) const noexcept {
    section_entry const& s = sections[sections.find_any(name)];
    return s.host == nullptr ? region{} : region{s.target, s.host, s.size};
  }

  /// The entries of that section; see linux/patch_tables.hpp and linux/unwind_tables.hpp.
  template <class Entry>
  table_view<format, Entry> entries(std::string_view name) const noexcept {
    return table_view<format, Entry>{section(name)};
  }

  /// `size` bytes of the module at `a`, to read and to write; empty unless they all lie in one of
  /// its regions. Tables name any address: ask for each.
  std::span<std::byte> bytes(address a, u64 size) const noexcept {
    std::byte* const host = record.host(a, size);
    return {host, host == nullptr ? 0 : static_cast<std::size_t>(size)};
  }
};

} // namespace kmodld
