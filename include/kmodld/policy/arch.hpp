// SPDX-License-Identifier: MIT
// Arch policy: what an architecture supplies. One file each in arch/, built like a page of its
// psABI.
#pragma once

#include <kmodld/reloc.hpp>

#include <concepts>

namespace kmodld {

template <class A>
concept arch_policy =
    requires(typename A::format::ehdr const& header, typename A::relocation const& r,
             typename A::state& state, reach_window window) {
      // The structures of its ELF class and byte order, and which of rel and rela it uses.
      typename A::format;
      typename A::relocation;
      // The table: what each type computes, where it writes, what it checks.
      { A::rules[0] } -> std::convertible_to<reloc::rule>;
      // e_machine and what else makes an object one of this architecture (elf_check_arch).
      { A::accepts(header) } noexcept -> std::same_as<bool>;
      // A relocation's parts; mips64 splits r_info in its own way.
      { A::type_of(r) } noexcept -> std::same_as<u32>;
      { A::symbol_of(r) } noexcept -> std::same_as<u32>;
      { A::addend_of(r) } noexcept -> std::same_as<u64>;
      // The window of addresses from which everything in `window` can be reached.
      { A::reach(window) } noexcept -> std::same_as<reach_window>;
      // What it keeps for one module while relocating: GOT, PLT, stubs, pairs. simple(): the hot
      // loop may be used. docs/adding-an-architecture.md has the optional members of both.
      { state.simple() } noexcept -> std::same_as<bool>;
    };

} // namespace kmodld
