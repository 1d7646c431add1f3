// SPDX-License-Identifier: MIT
// m68k: System V ABI, Motorola 68000 Processor Family Supplement, "Relocation"; the types from 23
// on are GNU's. 68000 to 68060 and ColdFire.
//
// What is odd here: nearly nothing. A 32-bit word reaches all of memory, since addresses wrap at
// 4 GiB, so it cannot overflow and a call by bsr.l needs no stub (L = S). A bsr.w or bsr.s that
// does not reach is an overflow: there is no PLT, and so no offset of its entries (PLT32O, PLT16O,
// PLT8O).
//
// Linux's loader knows 32 and PC32. What is said of Linux here was not compared with a running
// kernel. It also takes REL sections, which are refused here, as no tool makes them. The table
// .m68k_fixup is for the host's hooks.
//
// Objects compiled with -fpic ask for a GOT, kmodld makes one. They load its address by GOT32, from
// _GLOBAL_OFFSET_TABLE_: of this symbol, and of no other, the type means the GOT and not a slot.
// Code for the 68000 itself has GOT16 there, so that its GOT must lie within 32 KiB.
//
//   lea    (%pc, _GLOBAL_OFFSET_TABLE_@GOTPC), %a5 | GOT32, addend 2: GOT + A - P
//   move.l symbol@GOT(%a5), %a0                    | GOT16O: G
//   bsr.l  function@PLTPC                          | PLT32: S + A - P
#pragma once

#include <kmodld/abi.hpp>
#include <kmodld/reloc/got_plt.hpp>

namespace kmodld::arch {

struct m68k {
  static constexpr std::string_view name = "m68k"sv;
  using format = elf::elf32_be;
  using relocation = format::rela;
  static constexpr u16 machine = 4;
  static constexpr bool ignores_got_symbol = false;
  static constexpr u64 got_slot_size = 4;
  static constexpr u64 plt_entry_size = 0; ///< there are none
  /// Linux's text has "module " before it.
  static constexpr errc unknown_type = errc::reloc_unknown_i386;

  template <class Base>
  struct linux_abi : Base {
    static constexpr ksymtab_format ksymtab = ksymtab_format::absolute;
    static constexpr extable_kind extable = extable_kind::absolute;
    static constexpr bool relative_jump_labels = false;
  };

  static bool accepts(format::ehdr const& h) noexcept { return h.e_machine == machine; }

  static u32 type_of(relocation const& r) noexcept { return format::r_type(r.r_info); }
  static u32 symbol_of(relocation const& r) noexcept { return format::r_sym(r.r_info); }
  static u64 addend_of(relocation const& r) noexcept { return static_cast<u64>(i64{r.r_addend}); }

  /// Every address reaches every other.
  static constexpr reach_window reach(reach_window) noexcept { return {{0}, {0xffffffff}}; }

private:
  using f = reloc::formula;
  using c = reloc::check;
  static constexpr u8 linux = reloc::by_linux;
  static constexpr u8 call = reloc::branch;
  static constexpr reloc::field word32{4}, word16{2}, word8{1};

public:
  // clang-format off
  static constexpr reloc::rule rules[] = {
      {0,  "R_68K_NONE",          f::none,      {},     c::none,   0},
      {1,  "R_68K_32",            f::s_a,       word32, c::none,   linux},
      {2,  "R_68K_16",            f::s_a,       word16, c::either, 0},
      {3,  "R_68K_8",             f::s_a,       word8,  c::either, 0},
      {4,  "R_68K_PC32",          f::s_a_p,     word32, c::none,   linux},
      {5,  "R_68K_PC16",          f::s_a_p,     word16, c::sign,   0},
      {6,  "R_68K_PC8",           f::s_a_p,     word8,  c::sign,   0},
      {7,  "R_68K_GOT32",         f::g_got_a_p, word32, c::none,   0},
      {8,  "R_68K_GOT16",         f::g_got_a_p, word16, c::sign,   0},
      {9,  "R_68K_GOT8",          f::g_got_a_p, word8,  c::sign,   0},
      {10, "R_68K_GOT32O",        f::g_a,       word32, c::none,   0},
      {11, "R_68K_GOT16O",        f::g_a,       word16, c::sign,   0},
      {12, "R_68K_GOT8O",         f::g_a,       word8,  c::sign,   0},
      {13, "R_68K_PLT32",         f::s_a_p,     word32, c::none,   call},
      {14, "R_68K_PLT16",         f::s_a_p,     word16, c::sign,   call},
      {15, "R_68K_PLT8",          f::s_a_p,     word8,  c::sign,   call},
      {16, "R_68K_PLT32O",        f::refused,   {},     c::none,   0},
      {17, "R_68K_PLT16O",        f::refused,   {},     c::none,   0},
      {18, "R_68K_PLT8O",         f::refused,   {},     c::none,   0},
      {23, "R_68K_GNU_VTINHERIT", f::none,      {},     c::none,   0},
      {24, "R_68K_GNU_VTENTRY",   f::none,      {},     c::none,   0},
      {25, "R_68K_TLS_GD32",      f::tls,       {},     c::none,   0},
      {26, "R_68K_TLS_GD16",      f::tls,       {},     c::none,   0},
      {27, "R_68K_TLS_GD8",       f::tls,       {},     c::none,   0},
      {28, "R_68K_TLS_LDM32",     f::tls,       {},     c::none,   0},
      {29, "R_68K_TLS_LDM16",     f::tls,       {},     c::none,   0},
      {30, "R_68K_TLS_LDM8",      f::tls,       {},     c::none,   0},
      {31, "R_68K_TLS_LDO32",     f::tls,       {},     c::none,   0},
      {32, "R_68K_TLS_LDO16",     f::tls,       {},     c::none,   0},
      {33, "R_68K_TLS_LDO8",      f::tls,       {},     c::none,   0},
      {34, "R_68K_TLS_IE32",      f::tls,       {},     c::none,   0},
      {35, "R_68K_TLS_IE16",      f::tls,       {},     c::none,   0},
      {36, "R_68K_TLS_IE8",       f::tls,       {},     c::none,   0},
      {37, "R_68K_TLS_LE32",      f::tls,       {},     c::none,   0},
      {38, "R_68K_TLS_LE16",      f::tls,       {},     c::none,   0},
      {39, "R_68K_TLS_LE8",       f::tls,       {},     c::none,   0},
      {40, "R_68K_TLS_DTPMOD32",  f::tls,       {},     c::none,   0},
      {41, "R_68K_TLS_DTPREL32",  f::tls,       {},     c::none,   0},
      {42, "R_68K_TLS_TPREL32",   f::tls,       {},     c::none,   0},
  };
  // clang-format on

  /// Offsets of PLT entries.
  static constexpr errc refusal(u32) noexcept { return unknown_type; }

  /// What relocations of a type ask of the GOT, before layout.
  static constexpr u8 needs_of(u32 type) noexcept {
    return type >= 7 && type <= 12 ? reloc::needs_got | reloc::needs_got_slot : 0;
  }
  static void write_got_slot(std::byte* slot, u64 s) noexcept {
    format::word::store(slot, static_cast<u32>(s));
  }

  struct state : reloc::got_plt<m68k> {
    /// _GLOBAL_OFFSET_TABLE_; 0 if no slot type names it. The slot that it has is for GOT32O;
    /// others of this name share it.
    u32 got_symbol = 0;

    bool own_symbol(std::string_view symbol, u64& value) const noexcept {
      if (got.value == 0 || !equal(symbol, "_GLOBAL_OFFSET_TABLE_"sv))
        return false;
      value = got.value;
      return true;
    }

    bool has(reloc::formula formula, u32 symbol) const noexcept {
      return is_got(formula, symbol) || got_plt::has(formula, symbol);
    }
    u64 compute(reloc::formula formula, reloc::operands const& o) const noexcept {
      return got_plt::compute(is_got(formula, o.symbol) ? f::got_a_p : formula, o);
    }

  private:
    bool is_got(reloc::formula formula, u32 symbol) const noexcept {
      if (formula != f::g_got_a_p || got_symbol == 0)
        return false;
      return symbol == got_symbol ||
             (symbol < got_slot.size() && got_symbol < got_slot.size() && got_slot[symbol] != 0 &&
              got_slot[symbol] == got_slot[got_symbol]);
    }
  };

  /// module_frob_arch_sections: slots, and which symbol is the GOT itself.
  template <class Context>
  static errc frob(Context const& context, state& s) noexcept {
    if constexpr (Context::abi::wide_relocations) {
      auto const symbols = context.symbols();
      auto const scratch = [&](u64 count) { return context.template scratch<u32>(count); };
      if (s.count(context.image, context.table, symbols, reloc::needs_got | reloc::needs_got_slot,
                  scratch) != errc::ok)
        return context.no_memory(symbols.size() * sizeof(u32));
      byte_view const names = context.image.data(context.info.str);
      for (u32 i = 0; i < s.got_slot.size(); ++i)
        if (s.got_slot[i] != 0 && symbols[i].st_shndx == elf::shn_undef &&
            is_string_at(names, symbols[i].st_name, "_GLOBAL_OFFSET_TABLE_"sv)) {
          s.got_symbol = s.got_symbol == 0 ? i : s.got_symbol;
          s.got_slot[i] = s.got_slot[s.got_symbol];
        }
    }
    return errc::ok;
  }
};

} // namespace kmodld::arch
