// SPDX-License-Identifier: MIT
// module_frob_arch_sections: counts what the module needs of GOT and PLT and makes room for them
// as sections of their own. A part of layout_and_allocate. Scratch memory goes with free_copy.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/reloc/classes.hpp>
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

/// One slot a symbol and kind, numbered by first use.
template <class Env>
class slot_counter {
  using arch = typename Env::arch;
  using relocation = typename arch::relocation;
  using sym = typename Env::format::sym;
  using needs = reloc::slot_needs<arch>;

  // A stub is only wanted where calls may lead out of reach.
  static constexpr u8 wanted_of(u32 type) noexcept {
    constexpr u8 mask =
        (Env::abi::wide_relocations ? reloc::needs_got | reloc::needs_got_slot : 0) |
        (Env::abi::far_calls ? reloc::needs_plt_entry : 0);
    return needs::of(type) & mask;
  }

  Env& env_;
  elf::table<sym> symbols_;
  arch_slots<arch>& slots_;

public:
  u32 got_count = 0, plt_count = 0;
  bool got_used = false;

  slot_counter(Env& env, elf::table<sym> symbols, arch_slots<arch>& slots) noexcept
      : env_{env}, symbols_{symbols}, slots_{slots} {}

  errc count(elf::table<relocation> relocations) noexcept {
    unsigned any = 0;
    for (relocation const& r : relocations)
      any |= wanted_of(arch::type_of(r));
    if (any == 0) [[likely]]
      return errc::ok;
    if (slots_.got_slot.empty()) {
      slots_.got_slot = env_.template scratch<u32>(symbols_.size());
      slots_.plt_slot = env_.template scratch<u32>(symbols_.size());
      if (slots_.got_slot.empty() || slots_.plt_slot.empty())
        return env_.fail(errc::no_memory,
                         {.subject = "GOT and PLT slots"sv, .n0 = symbols_.size() * sizeof(u32)});
    }
    for (relocation const& r : relocations)
      add(wanted_of(arch::type_of(r)), arch::symbol_of(r));
    return errc::ok;
  }

private:
  void add(u8 wanted, u32 symbol) noexcept {
    if (symbol >= symbols_.size())
      return; // refused by apply_relocations, with its place
    got_used = got_used || (wanted & reloc::needs_got) != 0;
    if ((wanted & reloc::needs_got_slot) != 0 && slots_.got_slot[symbol] == 0)
      slots_.got_slot[symbol] = ++got_count;
    if ((wanted & reloc::needs_plt_entry) != 0 && slots_.plt_slot[symbol] == 0 &&
        symbols_[symbol].st_shndx == elf::shn_undef)
      slots_.plt_slot[symbol] = ++plt_count;
  }
};

template <class Env>
errc module_frob_arch_sections(Env& env, elf::image<typename Env::format> const& image,
                               load_info const& info, section_table& table,
                               arch_slots<typename Env::arch>& slots) noexcept {
  using arch = typename Env::arch;
  using relocation = typename arch::relocation;
  if constexpr (!Env::abi::wide_relocations && !Env::abi::far_calls)
    return errc::ok;
  constexpr u32 kind =
      sizeof(relocation) == sizeof(typename Env::format::rela) ? elf::sht_rela : elf::sht_rel;
  slot_counter<Env> counter{env, image.template entries<typename Env::format::sym>(info.sym),
                            slots};
  u32 const file_count = table.file_count;
  for (u32 i = 1; i < file_count; ++i)
    if (table[i].type == kind && table[image.section(i).sh_info].allocated())
      if (errc code = counter.count(image.template entries<relocation>(i)); code != errc::ok)
        return code;
  if (counter.got_used)
    slots.got_section =
        detail::add_section(table, ".got"sv, u64{counter.got_count} * arch::got_slot_size, 0);
  if (counter.plt_count != 0)
    slots.plt_section = detail::add_section(
        table, ".plt"sv, u64{counter.plt_count} * arch::plt_entry_size, elf::shf_execinstr);
  return errc::ok;
}

} // namespace kmodld::steps
