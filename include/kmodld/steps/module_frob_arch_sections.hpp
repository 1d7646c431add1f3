// SPDX-License-Identifier: MIT
// module_frob_arch_sections: counts what the module needs of GOT and PLT and makes room for them
// as sections of their own. A part of layout_and_allocate. Scratch memory goes with free_copy.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

namespace detail {

inline u32 add_section(section_table& table, std::string_view name, u64 size, u64 flags) noexcept {
  table[table.used] = {.flags = elf::shf_alloc | flags,
                       .size = size,
                       .align = 16,
                       .type = elf::sht_nobits,
                       .name = name};
  return table.used++;
}

} // namespace detail

template <class Env>
errc module_frob_arch_sections(Env& env, elf::image<typename Env::format> const& image,
                               load_info const& info, section_table& table,
                               arch_slots<typename Env::arch>& slots) noexcept {
  using arch = typename Env::arch;
  using abi = typename Env::abi;
  if constexpr (!abi::wide_relocations && !abi::far_calls)
    return errc::ok;
  auto const symbols = image.template entries<typename Env::format::sym>(info.sym);
  u32 got_count = 0, plt_count = 0;
  bool got_used = false;
  constexpr u32 kind = sizeof(typename arch::relocation) == sizeof(typename Env::format::rela)
                           ? elf::sht_rela
                           : elf::sht_rel;
  for (u32 i = 1; i < table.file_count; ++i) {
    if (table[i].type != kind || !table[image.section(i).sh_info].allocated())
      continue;
    for (auto const& r : image.template entries<typename arch::relocation>(i)) {
      auto const needs = arch::needs_of(arch::type_of(r));
      if (!needs.got_table && !needs.plt_entry) [[likely]]
        continue;
      u32 const symbol = arch::symbol_of(r);
      if (symbol >= symbols.size())
        continue; // refused by apply_relocations, with its place
      bool const far =
          abi::far_calls && needs.plt_entry && symbols[symbol].st_shndx == elf::shn_undef;
      if ((needs.got_table || far) && slots.got_slot.empty() && slots.plt_slot.empty()) {
        slots.got_slot = env.template scratch<u32>(symbols.size());
        slots.plt_slot = env.template scratch<u32>(symbols.size());
        if (slots.got_slot.empty() || slots.plt_slot.empty())
          return env.fail(errc::no_memory,
                          {.subject = "GOT and PLT slots"sv, .n0 = symbols.size() * 4});
      }
      got_used = got_used || needs.got_table;
      if (needs.got_slot && slots.got_slot[symbol] == 0)
        slots.got_slot[symbol] = ++got_count;
      if (far && slots.plt_slot[symbol] == 0)
        slots.plt_slot[symbol] = ++plt_count;
    }
  }
  if (got_used)
    slots.got_section =
        detail::add_section(table, ".got"sv, u64{got_count} * arch::got_slot_size, 0);
  if (plt_count != 0)
    slots.plt_section = detail::add_section(table, ".plt"sv, u64{plt_count} * arch::plt_entry_size,
                                            elf::shf_execinstr);
  return errc::ok;
}

} // namespace kmodld::steps
