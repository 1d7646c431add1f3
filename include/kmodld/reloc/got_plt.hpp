// SPDX-License-Identifier: MIT
// GOT and PLT of one module where the architecture's form of them needs no more than a slot a
// symbol: numbered by first use before layout, filled once the symbols have their values.
#pragma once

#include <kmodld/layout/section_table.hpp>
#include <kmodld/module.hpp>
#include <kmodld/reloc/classes.hpp>
#include <kmodld/reloc/section.hpp>

namespace kmodld::reloc {

/// `Arch` has got_slot_size, plt_entry_size, needs_of(type), write_got_slot(host, value) and
/// write_plt_entry(host, entry address, value). slot[symbol] is 0 or one more than the number.
template <class Arch>
class got_plt {
  using format = typename Arch::format;
  using relocation = typename Arch::relocation;
  using sym = typename format::sym;

public:
  address got;
  address plt;
  std::span<u32> got_slot;
  std::span<u32> plt_slot;
  std::span<sym const> symbols; ///< for sizes

  /// Whether the hot loop may be used: it knows neither slots nor stubs.
  bool simple() const noexcept { return got_slot.empty() && plt_slot.empty(); }

  bool has_plt(u32 symbol) const noexcept {
    return symbol < plt_slot.size() && plt_slot[symbol] != 0;
  }

  /// Whether compute() can answer: the symbol has the slot that the formula needs.
  bool has(formula f, u32 symbol) const noexcept {
    switch (f) {
    case formula::g_a:
    case formula::g_got_a:
    case formula::g_got_a_p:
    case formula::page_g_p: return symbol < got_slot.size() && got_slot[symbol] != 0;
    case formula::z_a: return symbol < symbols.size();
    case formula::l_a_p: return true;
    default: return !got_slot.empty();
    }
  }

  u64 compute(formula f, operands const& o) const noexcept {
    u64 const g =
        has(formula::g_a, o.symbol) ? u64{got_slot[o.symbol] - 1} * Arch::got_slot_size : 0;
    switch (f) {
    case formula::l_a_got: return (has_plt(o.symbol) ? l(o) : o.s) + o.a - got.value;
    case formula::g_a: return g + o.a;
    case formula::g_got_a: return g + got.value + o.a;
    case formula::g_got_a_p: return g + got.value + o.a - o.p;
    case formula::page_g_p: return plain_value(formula::page_p, g + got.value, o.a, o.p);
    case formula::s_a_got: return o.s + o.a - got.value;
    case formula::got_a_p: return got.value + o.a - o.p;
    case formula::z_a: return symbols[o.symbol].st_size + o.a;
    default: return 0;
    }
  }

  /// A call out of reach: by the symbol's stub, if it has one; else `v` stays and does not fit.
  errc far(u32, operands const& o, u64& v) const noexcept {
    if (has_plt(o.symbol))
      v = l(o) + o.a - o.p;
    return errc::ok;
  }

  /// Counts what the module needs and adds the sections. `scratch(n)` gives n zeroed words that
  /// live as long as the load. `wanted` has the needs_ bits that the host serves. no_memory
  /// or ok.
  template <class Scratch>
  errc count(elf::image<format> const& image, section_table& table, std::span<sym const> all,
             u8 wanted, Scratch const& scratch) noexcept {
    constexpr u32 kind = addend_in_place<relocation> ? elf::sht_rel : elf::sht_rela;
    u32 const file_count = table.file_count;
    for (u32 i = 1; i < file_count; ++i)
      if (table[i].type == kind && table[image.section(i).sh_info].allocated())
        if (errc code = count(image.template entries<relocation>(i), all, wanted, scratch);
            code != errc::ok)
          return code;
    if (got_used_)
      got_section_ = table.add(".got"sv, u64{got_count_} * Arch::got_slot_size, 16, 0);
    if (plt_count_ != 0)
      plt_section_ =
          table.add(".plt"sv, u64{plt_count_} * Arch::plt_entry_size, 16, elf::shf_execinstr);
    return errc::ok;
  }

  /// The sections have their addresses.
  void placed(section_table const& table, module const&) noexcept {
    got = table[got_section_].target;
    plt = table[plt_section_].target;
  }

  /// The symbols have their values.
  void fill(section_table const& table, std::span<u64 const> values) noexcept {
    for (std::size_t i = 0; i < got_slot.size() && i < values.size(); ++i) {
      if (u32 n = got_slot[i]; n != 0)
        Arch::write_got_slot(table[got_section_].host + u64{n - 1} * Arch::got_slot_size,
                             values[i]);
      if constexpr (Arch::plt_entry_size != 0)
        if (u32 n = plt_slot[i]; n != 0) {
          u64 const at = u64{n - 1} * Arch::plt_entry_size;
          Arch::write_plt_entry(table[plt_section_].host + at, plt + at, values[i]);
        }
    }
  }

private:
  u64 l(operands const& o) const noexcept {
    return plt.value + u64{plt_slot[o.symbol] - 1} * Arch::plt_entry_size;
  }

  template <class Scratch>
  errc count(elf::table<relocation> relocations, std::span<sym const> all, u8 wanted,
             Scratch const& scratch) noexcept {
    // Almost every relocation may need a stub, almost none a GOT.
    bool const any = (wanted & needs_plt_entry) != 0 || slot_needs<Arch>::any_of_got(relocations);
    if (!any) [[likely]]
      return errc::ok;
    if (got_slot.empty()) {
      got_slot = scratch(all.size());
      plt_slot = scratch(all.size());
      if (got_slot.empty() || plt_slot.empty())
        return errc::no_memory;
    }
    for (relocation const& r : relocations)
      add(slot_needs<Arch>::of(Arch::type_of(r)) & wanted, Arch::symbol_of(r), all);
    return errc::ok;
  }

  void add(unsigned wanted, u32 symbol, std::span<sym const> all) noexcept {
    if (symbol >= all.size())
      return; // refused by apply_relocations, with its place
    got_used_ = got_used_ || (wanted & needs_got) != 0;
    if ((wanted & needs_got_slot) != 0 && got_slot[symbol] == 0)
      got_slot[symbol] = ++got_count_;
    if ((wanted & needs_plt_entry) != 0 && plt_slot[symbol] == 0 &&
        all[symbol].st_shndx == elf::shn_undef)
      plt_slot[symbol] = ++plt_count_;
  }

  u32 got_section_ = 0, plt_section_ = 0;
  u32 got_count_ = 0, plt_count_ = 0;
  bool got_used_ = false;
};

} // namespace kmodld::reloc
