// SPDX-License-Identifier: MIT
// i386: System V ABI, Intel386 Architecture Processor Supplement 1.1, "Relocation", table 2.10.
//
// What is odd here: nearly nothing. Relocations are REL, the word in the place is the addend. A
// 32-bit word reaches all of memory, since addresses wrap at 4 GiB, so nothing can overflow and no
// call needs a stub: the PLT entry of a function is the function (L = S). Linux's loader knows
// three types.
//
// Objects compiled with -fpic ask for a GOT, kmodld makes one. Instructions reach a slot in two
// ways, and GOT32 is used for both: through a register that holds the GOT's address, then the word
// is an offset, or (-fno-pic with -fno-plt) without one, then it is the slot's address. The ModRM
// byte before the word tells: mod 0 and r/m 5 is an address without a register.
#pragma once

#include <kmodld/reloc/got_plt.hpp>

namespace kmodld::arch {

struct i386 {
  static constexpr std::string_view name = "i386"sv;
  using format = elf::elf32_le;
  using relocation = format::rel;
  static constexpr u16 machine = 3;
  static constexpr u16 machine_486 = 6; ///< old, accepted by Linux
  static constexpr u64 page_size = 4096;
  /// An undefined _GLOBAL_OFFSET_TABLE_ that nobody provides is left 0 (x86 only, as in Linux).
  static constexpr bool ignores_got_symbol = true;
  static constexpr u64 got_slot_size = 4;
  static constexpr u64 plt_entry_size = 0; ///< there are none
  static constexpr errc unknown_type = errc::reloc_unknown_i386;

  static bool accepts(format::ehdr const& h) noexcept {
    return h.e_machine == machine || h.e_machine == machine_486;
  }

  static u32 type_of(relocation const& r) noexcept { return format::r_type(r.r_info); }
  static u32 symbol_of(relocation const& r) noexcept { return format::r_sym(r.r_info); }
  static u64 addend_of(relocation const&) noexcept { return 0; } ///< in the place

  /// Every address reaches every other.
  static constexpr reach_window reach(reach_window) noexcept { return {{0}, {0xffffffff}}; }

private:
  using f = reloc::formula;
  using c = reloc::check;
  static constexpr u8 linux = reloc::by_linux;
  static constexpr reloc::field word32{4}, word16{2}, word8{1};

public:
  // clang-format off
  static constexpr reloc::rule rules[] = {
      {0,  "R_386_NONE",          f::none,    {},     c::none,   linux},
      {1,  "R_386_32",            f::s_a,     word32, c::none,   linux},
      {2,  "R_386_PC32",          f::s_a_p,   word32, c::none,   linux},
      {3,  "R_386_GOT32",         f::special, word32, c::none,   0},
      {4,  "R_386_PLT32",         f::s_a_p,   word32, c::none,   reloc::by_linux | reloc::branch},
      {9,  "R_386_GOTOFF",        f::s_a_got, word32, c::none,   0},
      {10, "R_386_GOTPC",         f::got_a_p, word32, c::none,   0},
      {11, "R_386_32PLT",         f::s_a,     word32, c::none,   0},
      {14, "R_386_TLS_TPOFF",     f::tls,     {},     c::none,   0},
      {15, "R_386_TLS_IE",        f::tls,     {},     c::none,   0},
      {16, "R_386_TLS_GOTIE",     f::tls,     {},     c::none,   0},
      {17, "R_386_TLS_LE",        f::tls,     {},     c::none,   0},
      {18, "R_386_TLS_GD",        f::tls,     {},     c::none,   0},
      {19, "R_386_TLS_LDM",       f::tls,     {},     c::none,   0},
      {20, "R_386_16",            f::s_a,     word16, c::either, 0},
      {21, "R_386_PC16",          f::s_a_p,   word16, c::sign,   0},
      {22, "R_386_8",             f::s_a,     word8,  c::either, 0},
      {23, "R_386_PC8",           f::s_a_p,   word8,  c::sign,   0},
      {24, "R_386_TLS_GD_32",     f::tls,     {},     c::none,   0},
      {25, "R_386_TLS_GD_PUSH",   f::tls,     {},     c::none,   0},
      {26, "R_386_TLS_GD_CALL",   f::tls,     {},     c::none,   0},
      {27, "R_386_TLS_GD_POP",    f::tls,     {},     c::none,   0},
      {28, "R_386_TLS_LDM_32",    f::tls,     {},     c::none,   0},
      {29, "R_386_TLS_LDM_PUSH",  f::tls,     {},     c::none,   0},
      {30, "R_386_TLS_LDM_CALL",  f::tls,     {},     c::none,   0},
      {31, "R_386_TLS_LDM_POP",   f::tls,     {},     c::none,   0},
      {32, "R_386_TLS_LDO_32",    f::tls,     {},     c::none,   0},
      {33, "R_386_TLS_IE_32",     f::tls,     {},     c::none,   0},
      {34, "R_386_TLS_LE_32",     f::tls,     {},     c::none,   0},
      {35, "R_386_TLS_DTPMOD32",  f::tls,     {},     c::none,   0},
      {36, "R_386_TLS_DTPOFF32",  f::tls,     {},     c::none,   0},
      {37, "R_386_TLS_TPOFF32",   f::tls,     {},     c::none,   0},
      {38, "R_386_SIZE32",        f::z_a,     word32, c::none,   0},
      {39, "R_386_TLS_GOTDESC",   f::tls,     {},     c::none,   0},
      {40, "R_386_TLS_DESC_CALL", f::tls,     {},     c::none,   0},
      {41, "R_386_TLS_DESC",      f::tls,     {},     c::none,   0},
      {43, "R_386_GOT32X",        f::special, word32, c::none,   0},
  };
  // clang-format on

  using state = reloc::got_plt<i386>;

  /// What relocations of a type ask of the GOT, before layout.
  static constexpr u8 needs_of(u32 type) noexcept {
    switch (type) {
    case 3:
    case 43: return reloc::needs_got | reloc::needs_got_slot;
    case 9:
    case 10: return reloc::needs_got;
    default: return 0;
    }
  }
  static void write_got_slot(std::byte* slot, u64 s) noexcept {
    format::word::store(slot, static_cast<u32>(s));
  }

  /// GOT32 and GOT32X: the slot's offset, or its address where no register has the GOT's.
  template <class State>
  [[gnu::always_inline]] static errc special(u32, reloc::operands const& o,
                                             std::span<std::byte> section, u64 offset, State& s,
                                             u64&) noexcept {
    if (!s.has(f::g_a, o.symbol))
      return errc::reloc_no_slot;
    std::byte* const place = section.data() + offset;
    bool const absolute = offset != 0 && (place[-1] & std::byte{0xc7}) == std::byte{5};
    format::word::store(place, static_cast<u32>(s.compute(absolute ? f::g_got_a : f::g_a, o)));
    return errc::ok;
  }
};

} // namespace kmodld::arch
