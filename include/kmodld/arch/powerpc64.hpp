// SPDX-License-Identifier: MIT
// 64-bit Power: OpenPOWER ELFv2 ABI 1.5, "Relocation Types", both byte orders.
//
// What is odd here: a function finds its data by r2, which holds the address of its module's table
// of contents ("TOC"; .TOC. = that address + 0x8000, so that 16 signed bits reach all 64 KiB of
// it). A function therefore has two entries: the global one computes r2 from r12, the local one, up
// to 64 bytes further (st_other, bits 5-7), trusts it. Calls within a module take the local entry.
// A call out of it goes through a stub that saves r2 and sets r12, and the nop after the call
// becomes the instruction that loads r2 back:
//
//   addis r11,r2,ha(stub - .TOC.)        bl    stub
//   addi  r11,r11,lo(stub - .TOC.)       ld    r2,24(r1)     (was: nop)
//   std   r2,24(r1)
//   ld    r12,32(r11)
//   mtctr r12
//   bctr
//   .long 0, "stub"
//   .quad target                         (the global entry)
//
// _mcount is called before a function has saved anything and without a nop: its stub leaves r2
// alone and finds the target from the kernel's own TOC, which the per-CPU area at r13 has. Code
// for POWER10 need not keep r2 at all (REL24_NOTOC); its stub loads the target relative to itself.
//
// Linux sorts the relocations of a section by descending (r_info, addend) before it applies them,
// which is seen in the order of stubs only: so only calls are sorted here, and numbered beforehand.
#pragma once

#include <kmodld/abi.hpp>
#include <kmodld/reloc/address_slots.hpp>
#include <kmodld/reloc/call_stubs.hpp>
#include <kmodld/reloc/got_plt.hpp>

namespace kmodld::arch {

template <elf::byte_order Order>
struct powerpc64_of {
  static constexpr bool is_little = Order == elf::byte_order::little;
  static constexpr std::string_view name = is_little ? "powerpc64le"sv : "powerpc64"sv;
  using format = elf::format<64, Order>;
  using relocation = typename format::rela;
  static constexpr u16 machine = 21;
  static constexpr u64 page_size = 65536;
  static constexpr u64 got_slot_size = 8;
  static constexpr u64 plt_entry_size = 40;
  static constexpr bool ignores_got_symbol = false;
  /// Calls go by stubs, data by 64-bit addresses in the TOC.
  static constexpr bool exports_anywhere = true;
  static constexpr errc unknown_type = errc::reloc_ppc_unknown;

  /// Export tables of pointers, exceptions without data; two stubs are kept for ftrace.
  template <class Base>
  struct linux_abi : Base {
    static constexpr u64 page_size = 65536;
    static constexpr ksymtab_format ksymtab = ksymtab_format::absolute;
    static constexpr extable_kind extable = extable_kind::relative;
    static constexpr u64 ftrace_trampolines = 2;
  };

  /// The ABI's version is in e_flags: 2, or 0 where the assembler was not told. 1 has function
  /// descriptors and cannot be mixed with 2.
  static bool accepts(typename format::ehdr const& h) noexcept {
    u32 const version = h.e_flags & 3;
    return h.e_machine == machine && (version == 2 || version == 0);
  }

  static u32 type_of(relocation const& r) noexcept { return format::r_type(r.r_info); }
  static u32 symbol_of(relocation const& r) noexcept { return format::r_sym(r.r_info); }
  static u64 addend_of(relocation const& r) noexcept { return static_cast<u64>(i64{r.r_addend}); }

  /// TOC16_HA with TOC16_LO and REL32 reach 2 GiB.
  static constexpr reach_window reach(reach_window w) noexcept {
    constexpr u64 distance = 0x7ff00000;
    u64 first = w.last.value > distance ? w.last.value - distance : 0;
    u64 last = w.first.value < ~u64{0} - distance ? w.first.value + distance : ~u64{0};
    return {{first}, {last}};
  }

  /// Linux keeps init sections with the others: calls between the two could be out of reach.
  static constexpr bool is_init_section(std::string_view) noexcept { return false; }

  enum : u32 { rel24 = 10, rel24_notoc = 116 };

private:
  using f = reloc::formula;
  using c = reloc::check;
  static constexpr u8 linux = reloc::by_linux;
  static constexpr u8 call_ = reloc::by_linux | reloc::branch;
  // clang-format off
  static constexpr reloc::field data64{8}, data32{4}, half{2}, half_ds{2, 1, {{2, 14, 2}}};
  static constexpr reloc::field hi{2, 1, {{16, 16, 0}}},
                                higher{2, 1, {{32, 16, 0}}}, highest{2, 1, {{48, 16, 0}}};
  static constexpr reloc::field low24{4, 1, {{2, 24, 2}}}, low14{4, 1, {{2, 14, 2}}};
  static constexpr reloc::field dx{4, 3, {{22, 10, 6}, {17, 5, 16}, {16, 1, 0}}}; // addpcis
  // Prefixed instructions: 18 bits in the prefix, which comes first, 16 in the suffix.
  static constexpr u8 prefix = is_little ? 0 : 32, suffix = 32 - prefix;
  static constexpr reloc::field d34{8, 2, {{16, 18, prefix}, {0, 16, suffix}}},
                                d34_high{8, 2, {{50, 18, prefix}, {34, 16, suffix}}};

public:
  static constexpr reloc::rule rules[] = {
      {0,   "R_PPC64_NONE",             f::none,    {},       c::none, linux},
      {1,   "R_PPC64_ADDR32",           f::s_a,     data32,   c::none, linux},
      {2,   "R_PPC64_ADDR24",           f::s_a,     low24,    c::sign, reloc::branch, 2},
      {3,   "R_PPC64_ADDR16",           f::s_a,     half,     c::either, 0},
      {4,   "R_PPC64_ADDR16_LO",        f::s_a,     half,     c::none, 0},
      {5,   "R_PPC64_ADDR16_HI",        f::s_a,     hi,       c::sign, 0},
      {6,   "R_PPC64_ADDR16_HA",        f::special, half,     c::sign, 0},
      {7,   "R_PPC64_ADDR14",           f::s_a,     low14,    c::sign, reloc::branch, 2},
      {8,   "R_PPC64_ADDR14_BRTAKEN",   f::s_a,     low14,    c::sign, reloc::branch, 2},
      {9,   "R_PPC64_ADDR14_BRNTAKEN",  f::s_a,     low14,    c::sign, reloc::branch, 2},
      {10,  "R_PPC64_REL24",            f::special, low24,    c::sign, call_, 2},
      {11,  "R_PPC64_REL14",            f::s_a_p,   low14,    c::sign, reloc::branch, 2},
      {12,  "R_PPC64_REL14_BRTAKEN",    f::s_a_p,   low14,    c::sign, reloc::branch, 2},
      {13,  "R_PPC64_REL14_BRNTAKEN",   f::s_a_p,   low14,    c::sign, reloc::branch, 2},
      {14,  "R_PPC64_GOT16",            f::special, half,     c::sign, 0},
      {15,  "R_PPC64_GOT16_LO",         f::special, half,     c::none, 0},
      {16,  "R_PPC64_GOT16_HI",         f::special, half,     c::sign, 0},
      {17,  "R_PPC64_GOT16_HA",         f::special, half,     c::sign, 0},
      {24,  "R_PPC64_UADDR32",          f::s_a,     data32,   c::either, 0},
      {25,  "R_PPC64_UADDR16",          f::s_a,     half,     c::either, 0},
      {26,  "R_PPC64_REL32",            f::s_a_p,   data32,   c::sign, linux},
      {38,  "R_PPC64_ADDR64",           f::s_a,     data64,   c::none, linux},
      {39,  "R_PPC64_ADDR16_HIGHER",    f::s_a,     higher,   c::none, 0},
      {40,  "R_PPC64_ADDR16_HIGHERA",   f::special, half,     c::none, 0},
      {41,  "R_PPC64_ADDR16_HIGHEST",   f::s_a,     highest,  c::none, 0},
      {42,  "R_PPC64_ADDR16_HIGHESTA",  f::special, half,     c::none, 0},
      {43,  "R_PPC64_UADDR64",          f::s_a,     data64,   c::none, 0},
      {44,  "R_PPC64_REL64",            f::s_a_p,   data64,   c::none, linux},
      {47,  "R_PPC64_TOC16",            f::special, half,     c::sign, linux},
      {48,  "R_PPC64_TOC16_LO",         f::special, half,     c::none, linux},
      {49,  "R_PPC64_TOC16_HI",         f::special, half,     c::sign, 0},
      {50,  "R_PPC64_TOC16_HA",         f::special, half,     c::none, linux},
      {51,  "R_PPC64_TOC",              f::special, data64,   c::none, linux},
      {56,  "R_PPC64_ADDR16_DS",        f::s_a,     half_ds,  c::sign, 0, 2},
      {57,  "R_PPC64_ADDR16_LO_DS",     f::s_a,     half_ds,  c::none, 0, 2},
      {58,  "R_PPC64_GOT16_DS",         f::special, half,     c::sign, 0, 2},
      {59,  "R_PPC64_GOT16_LO_DS",      f::special, half,     c::none, 0, 2},
      {63,  "R_PPC64_TOC16_DS",         f::special, half,     c::sign, linux, 2},
      {64,  "R_PPC64_TOC16_LO_DS",      f::special, half,     c::none, linux, 2},
      {67,  "R_PPC64_TLS",              f::tls, {}, c::none, 0},
      {68,  "R_PPC64_DTPMOD64",         f::tls, {}, c::none, 0},
      {69,  "R_PPC64_TPREL16",          f::tls, {}, c::none, 0},
      {70,  "R_PPC64_TPREL16_LO",       f::tls, {}, c::none, 0},
      {71,  "R_PPC64_TPREL16_HI",       f::tls, {}, c::none, 0},
      {72,  "R_PPC64_TPREL16_HA",       f::tls, {}, c::none, 0},
      {73,  "R_PPC64_TPREL64",          f::tls, {}, c::none, 0},
      {74,  "R_PPC64_DTPREL16",         f::tls, {}, c::none, 0},
      {75,  "R_PPC64_DTPREL16_LO",      f::tls, {}, c::none, 0},
      {76,  "R_PPC64_DTPREL16_HI",      f::tls, {}, c::none, 0},
      {77,  "R_PPC64_DTPREL16_HA",      f::tls, {}, c::none, 0},
      {78,  "R_PPC64_DTPREL64",         f::tls, {}, c::none, 0},
      {79,  "R_PPC64_GOT_TLSGD16",      f::tls, {}, c::none, 0},
      {80,  "R_PPC64_GOT_TLSGD16_LO",   f::tls, {}, c::none, 0},
      {81,  "R_PPC64_GOT_TLSGD16_HI",   f::tls, {}, c::none, 0},
      {82,  "R_PPC64_GOT_TLSGD16_HA",   f::tls, {}, c::none, 0},
      {83,  "R_PPC64_GOT_TLSLD16",      f::tls, {}, c::none, 0},
      {84,  "R_PPC64_GOT_TLSLD16_LO",   f::tls, {}, c::none, 0},
      {85,  "R_PPC64_GOT_TLSLD16_HI",   f::tls, {}, c::none, 0},
      {86,  "R_PPC64_GOT_TLSLD16_HA",   f::tls, {}, c::none, 0},
      {87,  "R_PPC64_GOT_TPREL16_DS",   f::tls, {}, c::none, 0},
      {88,  "R_PPC64_GOT_TPREL16_LO_DS",   f::tls, {}, c::none, 0},
      {89,  "R_PPC64_GOT_TPREL16_HI",      f::tls, {}, c::none, 0},
      {90,  "R_PPC64_GOT_TPREL16_HA",      f::tls, {}, c::none, 0},
      {91,  "R_PPC64_GOT_DTPREL16_DS",     f::tls, {}, c::none, 0},
      {92,  "R_PPC64_GOT_DTPREL16_LO_DS",  f::tls, {}, c::none, 0},
      {93,  "R_PPC64_GOT_DTPREL16_HI",     f::tls, {}, c::none, 0},
      {94,  "R_PPC64_GOT_DTPREL16_HA",     f::tls, {}, c::none, 0},
      {95,  "R_PPC64_TPREL16_DS",          f::tls, {}, c::none, 0},
      {96,  "R_PPC64_TPREL16_LO_DS",       f::tls, {}, c::none, 0},
      {97,  "R_PPC64_TPREL16_HIGHER",      f::tls, {}, c::none, 0},
      {98,  "R_PPC64_TPREL16_HIGHERA",     f::tls, {}, c::none, 0},
      {99,  "R_PPC64_TPREL16_HIGHEST",     f::tls, {}, c::none, 0},
      {100, "R_PPC64_TPREL16_HIGHESTA",    f::tls, {}, c::none, 0},
      {101, "R_PPC64_DTPREL16_DS",         f::tls, {}, c::none, 0},
      {102, "R_PPC64_DTPREL16_LO_DS",      f::tls, {}, c::none, 0},
      {103, "R_PPC64_DTPREL16_HIGHER",     f::tls, {}, c::none, 0},
      {104, "R_PPC64_DTPREL16_HIGHERA",    f::tls, {}, c::none, 0},
      {105, "R_PPC64_DTPREL16_HIGHEST",    f::tls, {}, c::none, 0},
      {106, "R_PPC64_DTPREL16_HIGHESTA",   f::tls, {}, c::none, 0},
      {107, "R_PPC64_TLSGD",            f::tls, {}, c::none, 0},
      {108, "R_PPC64_TLSLD",            f::tls, {}, c::none, 0},
      {109, "R_PPC64_TOCSAVE",          f::none,    {},       c::none, linux},
      {110, "R_PPC64_ADDR16_HIGH",      f::s_a,     hi,       c::none, 0},
      {111, "R_PPC64_ADDR16_HIGHA",     f::special, half,     c::none, 0},
      {112, "R_PPC64_TPREL16_HIGH",     f::tls, {}, c::none, 0},
      {113, "R_PPC64_TPREL16_HIGHA",    f::tls, {}, c::none, 0},
      {114, "R_PPC64_DTPREL16_HIGH",    f::tls, {}, c::none, 0},
      {115, "R_PPC64_DTPREL16_HIGHA",   f::tls, {}, c::none, 0},
      {116, "R_PPC64_REL24_NOTOC",      f::special, low24,    c::sign, reloc::branch, 2},
      {118, "R_PPC64_ENTRY",            f::special, {},       c::none, linux},
      {123, "R_PPC64_PCREL_OPT",        f::none,    {},       c::none, 0}, // a hint for linkers
      {128, "R_PPC64_D34",              f::s_a,     d34,      c::sign, 0},
      {129, "R_PPC64_D34_LO",           f::s_a,     d34,      c::none, 0},
      {130, "R_PPC64_D34_HI30",         f::s_a,     d34_high, c::none, 0},
      {131, "R_PPC64_D34_HA30",         f::special, d34_high, c::none, 0},
      {132, "R_PPC64_PCREL34",          f::s_a_p,   d34,      c::sign, 0},
      {133, "R_PPC64_GOT_PCREL34",      f::special, d34,      c::sign, 0},
      {146, "R_PPC64_TPREL34",          f::tls, {}, c::none, 0},
      {147, "R_PPC64_DTPREL34",         f::tls, {}, c::none, 0},
      {148, "R_PPC64_GOT_TLSGD_PCREL34",   f::tls, {}, c::none, 0},
      {149, "R_PPC64_GOT_TLSLD_PCREL34",   f::tls, {}, c::none, 0},
      {150, "R_PPC64_GOT_TPREL_PCREL34",   f::tls, {}, c::none, 0},
      {151, "R_PPC64_GOT_DTPREL_PCREL34",  f::tls, {}, c::none, 0},
      {240, "R_PPC64_REL16_HIGH",       f::s_a_p,   hi,       c::none, 0},
      {241, "R_PPC64_REL16_HIGHA",      f::special, half,     c::none, 0},
      {242, "R_PPC64_REL16_HIGHER",     f::s_a_p,   higher,   c::none, 0},
      {243, "R_PPC64_REL16_HIGHERA",    f::special, half,     c::none, 0},
      {244, "R_PPC64_REL16_HIGHEST",    f::s_a_p,   highest,  c::none, 0},
      {245, "R_PPC64_REL16_HIGHESTA",   f::special, half,     c::none, 0},
      {246, "R_PPC64_REL16DX_HA",       f::special, dx,       c::sign, 0},
      {249, "R_PPC64_REL16",            f::s_a_p,   half,     c::sign, 0},
      {250, "R_PPC64_REL16_LO",         f::s_a_p,   half,     c::none, linux},
      {251, "R_PPC64_REL16_HI",         f::s_a_p,   hi,       c::sign, 0},
      {252, "R_PPC64_REL16_HA",         f::special, half,     c::none, linux},
  };
  // clang-format on

  static constexpr u8 needs_of(u32 type) noexcept {
    bool const slot = (type >= 14 && type <= 17) || type == 58 || type == 59 || type == 133;
    return slot ? reloc::needs_got | reloc::needs_got_slot : 0;
  }
  static constexpr errc overflow_of(u32 type) noexcept {
    return type == 26 ? errc::reloc_ppc_rel32 : errc::reloc_overflow;
  }

  static void write_got_slot(std::byte* slot, u64 s) noexcept { format::word::store(slot, s); }
  /// Stubs are written by state, which knows their forms.
  static void write_plt_entry(std::byte*, address, u64) noexcept {}

  /// How a stub is called. `local`: r2 stays the caller's, since caller and target share it.
  enum class form : u8 { toc, profile, no_toc, local };

  /// The code of a stub. `distance`: from .TOC. to the stub (toc, local), from the kernel's TOC to
  /// the target (profile), unused (no_toc).
  static void write_stub(std::byte* at, form how, u64 distance, u64 target) noexcept {
    u64 const ha = (distance + 0x8000) >> 16 & 0xffff;
    u64 const lo = distance & 0xffff;
    u64 const save = how == form::local ? nop : 0xf8410018;
    u64 const toc[] = {0x3d620000 | ha, 0x396b0000 | lo, save, 0xe98b0020, mtctr, bctr, 0};
    u64 const profile[] = {0xe98d0010, 0x3d8c0000 | ha, 0x398c0000 | lo, mtctr, bctr, 0, 0};
    u64 const no_toc[] = {0x04100000, 0xe5800020, mtctr, bctr, 0, 0, 0}; // pld r12,32(pc)
    u64 const* const code = how == form::profile ? profile : how == form::no_toc ? no_toc : toc;
    for (std::size_t i = 0; i < 7; ++i)
      put(at + 4 * i, code[i]);
    put(at + 28, 0x73747562);
    format::word::store(at + 32, target);
  }

  /// reloc/branch_islands.hpp; `how` is a form.
  static constexpr u64 far_stub_size = plt_entry_size;
  static constexpr bool is_far_call(u32 type) noexcept {
    return type == rel24 || type == rel24_notoc;
  }
  static constexpr u64 call_addend(u32) noexcept { return 0; }
  template <class State>
  static bool write_far_stub(std::byte* stub, address at, u64 target, u32 how,
                             State const& s) noexcept {
    u64 const distance = at - s.toc;
    write_stub(stub, static_cast<form>(how), distance, target);
    return static_cast<form>(how) == form::no_toc || reloc::fits(distance, c::sign, 32);
  }

  /// Bytes from the global entry to the local one, from bits 5-7 of st_other.
  static constexpr u64 local_entry(u8 attributes) noexcept {
    return (u64{1} << (attributes >> symbol_other_shift)) >> 2 << 2;
  }

  template <class State>
  [[gnu::always_inline]] static errc special(u32 type, reloc::operands const& o,
                                             std::span<std::byte> section, u64 offset, State& s,
                                             u64& shown) noexcept {
    std::byte* const place = section.data() + offset;
    u64 const v = o.s + o.a;
    u64 const t = v - s.toc.value;
    u64 const rel = v - o.p;
    u64 slot = 0, g = 0;
    shown = v;
    if (needs_of(type) != 0) {
      if (errc code = got_slot(o, s, slot); code != errc::ok)
        return code;
      shown = g = slot - s.toc.value;
    }
    constexpr errc bad_toc = errc::reloc_ppc_toc16;
    switch (type) {
    case 6: return put16(place, ha(v), hi, c::sign);
    case 40: return put16(place, ha(v), higher, c::none);
    case 42: return put16(place, ha(v), highest, c::none);
    case 111: return put16(place, ha(v), hi, c::none);
    case 14: return put16(place, g, half, c::sign);
    case 15: return put16(place, g, half, c::none);
    case 16: return put16(place, g, hi, c::sign);
    case 17: return put16(place, ha(g), hi, c::sign);
    case 58: return put16(place, g, half_ds, c::sign, errc::reloc_overflow);
    case 59: return put16(place, g, half_ds, c::none, errc::reloc_misaligned);
    case 47: return put16(place, shown = t, half, c::sign, bad_toc);
    case 48: return put16(place, t, half, c::none);
    case 49: return put16(place, shown = t, hi, c::sign);
    case 50: return put16(place, ha(t), hi, c::none);
    case 63: return put16(place, shown = t, half_ds, c::sign, bad_toc);
    case 64: return put16(place, shown = t, half_ds, c::none, bad_toc);
    case 51: format::word::store(place, s.toc.value); return errc::ok;
    case 241:
    case 252: return put16(place, ha(rel), hi, c::none);
    case 243: return put16(place, ha(rel), higher, c::none);
    case 245: return put16(place, ha(rel), highest, c::none);
    case 246:
      put(place, dx.encode(word(place), ha(rel)));
      return reloc::fits(ha(shown = rel), c::sign, 32) ? errc::ok : errc::reloc_overflow;
    case 131: return put64(place, v + (u64{1} << 33), d34_high, c::none);
    case 133: return put64(place, shown = slot - o.p, d34, c::sign);
    case 118:
      entry(place, section.size() - static_cast<std::size_t>(offset), s.toc.value - o.p);
      return errc::ok;
    default:
      return branch(type, o, place, section.size() - static_cast<std::size_t>(offset), s, shown);
    }
  }

  /// TOC, stubs and, for -fpic objects, a GOT.
  struct state : reloc::got_plt<powerpc64_of> {
    using base = reloc::got_plt<powerpc64_of>;

    address toc; ///< .TOC.

    /// Calls that need a stub: each (symbol, addend) once a relocation section, in the order in
    /// which Linux comes to it.
    using call = reloc::stub_call<form>;
    reloc::call_stubs<form> stubs;
    std::span<u32> slots;   ///< becomes plt_slot: the stub of each symbol without addend
    std::span<u8> profiled; ///< 1 for _mcount and the like; empty if there are none
    u64 kernel_toc = 0;
    u32 toc_section = 0, stubs_section = 0;
    /// A slot holds S + A, so a symbol may have several; this is for those with an addend.
    reloc::address_slots<format> addend_slots;
    u64 seed = 0;
    u32 addend_section = 0;

    bool simple() const noexcept { return true; } // everything special is in special()

    bool own_symbol(std::string_view symbol, u64& value) const noexcept {
      if (!equal(symbol, ".TOC."sv))
        return false;
      value = toc.value;
      return true;
    }

    bool is_profiled(u32 symbol) const noexcept {
      return symbol < profiled.size() && profiled[symbol] != 0;
    }

    void placed(section_table const& table, module const& m) noexcept {
      base::placed(table, m);
      toc = {(table[toc_section].target.value & ~u64{0xff}) + 0x8000};
      this->plt = table[stubs_section].target;
      addend_slots.target = table[addend_section].target;
      addend_slots.host = table[addend_section].host;
    }

    void fill(section_table const& table, std::span<u64 const> values) noexcept {
      base::fill(table, values);
      stubs.number(values, [&](u32 n, call const& x) {
        return write(table[stubs_section].host, u64{n} * plt_entry_size, x);
      });
      for (call const& x : stubs.calls)
        if (x.addend == 0 && x.how != form::no_toc)
          slots[x.symbol()] = x.stub;
      this->plt_slot = slots;
    }

    /// The address of the stub for a call; 0 if there is none.
    u64 stub_of(reloc::operands const& o, bool no_toc) const noexcept {
      u32 n = 0;
      if (!no_toc && o.a == 0) {
        n = o.symbol < slots.size() ? slots[o.symbol] : 0;
      } else {
        n = stubs.find(o.s + o.a, no_toc                  ? form::no_toc
                                  : is_profiled(o.symbol) ? form::profile
                                                          : form::toc);
      }
      return n == 0 ? 0 : this->plt.value + u64{n - 1} * plt_entry_size;
    }

  private:
    /// False if the stub cannot reach what it needs.
    bool write(std::byte* host, u64 at, call const& x) noexcept {
      // A host without a kernel's TOC (0) calls _mcount as any other function.
      form const how = x.how == form::profile && kernel_toc == 0 ? form::toc : x.how;
      u64 distance = 0;
      if (how == form::toc)
        distance = this->plt.value + at - toc.value;
      else if (how == form::profile)
        distance = x.target - kernel_toc;
      if (!reloc::fits(distance, c::sign, 32))
        return false;
      write_stub(host + at, how, distance, x.target);
      return true;
    }
  };

  /// Undefined symbols lose the dot that ELFv1 put before a function's code.
  static constexpr std::string_view symbol_name(std::string_view n) noexcept {
    return n.size() > 1 && n[0] == '.' && !equal(n, ".TOC."sv) ? tail(n, 1) : n;
  }

  /// module_frob_arch_sections: finds .toc, makes room in .stubs.
  template <class Context>
  static errc frob(Context const& context, state& s) noexcept {
    using abi = typename Context::abi;
    section_table& table = context.table;
    s.kernel_toc = context.env.state.settings.kernel_toc.value;
    if constexpr (abi::wide_relocations) {
      if (s.count(context.image, table, context.symbols(), reloc::needs_got | reloc::needs_got_slot,
                  [&](u64 n) { return context.template scratch<u32>(n); }) != errc::ok)
        return context.no_memory(context.symbols().size() * sizeof(u32));
      if (errc code = count_addends(context, s); code != errc::ok)
        return code;
    }
    s.stubs_section = table.find_any(".stubs"sv);
    if (abi::module_struct && s.stubs_section == 0)
      return context.missing(".stubs"sv);
    u64 stubs = abi::module_struct ? 1 + abi::ftrace_trampolines : 0;
    if constexpr (!requires { Context::arch::branch_islands; })
      if (errc code = collect(context, s, stubs); code != errc::ok)
        return code;
    if (s.stubs_section == 0)
      s.stubs_section = table.add(".stubs"sv, 0, 8, elf::shf_execinstr);
    // Whatever the file calls so: where it is the symbol table, layout refuses one that is
    // allocated.
    table[s.stubs_section].type = elf::sht_nobits;
    table[s.stubs_section].flags |= elf::shf_alloc | elf::shf_execinstr;
    table[s.stubs_section].size = stubs * plt_entry_size;
    s.toc_section = table.find_any(".toc"sv);
    if (s.toc_section == 0 && !abi::module_struct)
      s.toc_section = table.find_any(".got"sv); // as static linkers do
    if (s.toc_section == 0)
      s.toc_section = s.stubs_section;
    else if (table[s.toc_section].align < 8)
      table[s.toc_section].align = 8;
    return errc::ok;
  }

private:
  /// The address of the slot that holds S + A.
  template <class State>
  static errc got_slot(reloc::operands const& o, State& s, u64& slot) noexcept {
    if (o.a == 0) {
      slot = s.compute(f::g_got_a, o);
      return s.has(f::g_a, o.symbol) ? errc::ok : errc::reloc_no_slot;
    }
    u32 n = 0;
    bool fresh;
    errc const code = s.addend_slots.find(o.s + o.a, s.seed, n, fresh);
    slot = s.addend_slots.slot(n).value;
    return code;
  }
  template <class Context>
  static errc count_addends(Context const& context, state& s) noexcept {
    u64 count = 0;
    static_cast<void>(context.for_each_relocations([&](u32, auto entries) {
      for (relocation const& r : entries)
        if (i64{r.r_addend} != 0 && needs_of(type_of(r)) != 0)
          ++count;
      return errc::ok;
    }));
    if (count == 0)
      return errc::ok;
    s.seed = context.env.hash_seed();
    s.addend_slots.room = static_cast<u32>(count);
    s.addend_slots.index = context.template scratch<u32>(reloc::hash_slots_for(count));
    s.addend_section = context.table.add(".got.addends"sv, count * got_slot_size, 8, 0);
    return s.addend_slots.index.empty() ? context.no_memory(count * sizeof(u32)) : errc::ok;
  }

  static constexpr u64 mtctr = 0x7d8903a6, bctr = 0x4e800420, nop = 0x60000000;

  static u64 word(std::byte const* p) noexcept { return elf::field<u32, Order>::load(p); }
  static void put(std::byte* p, u64 v) noexcept {
    elf::field<u32, Order>::store(p, static_cast<u32>(v));
  }
  static constexpr u64 ha(u64 v) noexcept { return v + 0x8000; }

  static errc put16(std::byte* place, u64 v, reloc::field const& where, reloc::check check,
                    errc bad = errc::reloc_overflow) noexcept {
    if (!reloc::fits(v, check, where.width()) || (where == half_ds && (v & 3) != 0))
      return bad;
    using access = reloc::place_access<format, 2>;
    access::store(place, where.encode(access::load(place), v));
    return errc::ok;
  }
  static errc put64(std::byte* place, u64 v, reloc::field const& where,
                    reloc::check check) noexcept {
    if (!reloc::fits(v, check, where.width()))
      return errc::reloc_overflow;
    format::word::store(place, where.encode(format::word::load(place), v));
    return errc::ok;
  }

  /// The large code model's way to r2 (`ld r2,x(r12); add r2,r2,r12`) becomes the short one.
  static void entry(std::byte* place, std::size_t room, u64 distance) noexcept {
    if (room < 8 || distance + 0x80008000 > 0xffffffff ||
        (word(place) & ~u64{0xfffc}) != 0xe84c0000 || word(place + 4) != 0x7c426214)
      return;
    put(place, 0x3c4c0000 | (ha(distance) >> 16 & 0xffff)); // addis r2,r12,ha
    put(place + 4, 0x38420000 | (distance & 0xffff));       // addi  r2,r2,lo
  }

  /// With branch islands nothing is known of the stubs beforehand. A call out of the object that
  /// no nop follows shares r2 with its target; it needs a stub only if it does not reach.
  template <class State>
  static errc branch_by_islands(bool no_toc, reloc::operands const& o, std::byte* place,
                                std::size_t room, State& s, u64& shown) noexcept {
    u64 const there = o.s + o.a;
    u64 const insn = word(place) & 0xfc000003;
    bool const links = insn == 0x48000001 || insn == 0x40000001;
    bool const can_restore = links && room >= 8 && word(place + 4) == nop;
    bool const leaves = needs_stub(o.attributes, 0, no_toc);
    u64 v = leaves || no_toc ? there : there + local_entry(o.attributes);
    auto reaches = [&] { return reloc::fits(shown = v - o.p, c::sign, 26); };
    bool const restore = leaves && !no_toc && can_restore;
    if ((leaves && (no_toc || can_restore || !links)) || !reaches()) {
      form const how = no_toc                          ? form::no_toc
                       : leaves && (restore || !links) ? form::toc
                                                       : form::local;
      if (!s.far_stub_for(there, static_cast<u32>(how), v))
        return errc::reloc_ppc_stub;
    }
    if (!reaches() || (shown & 3) != 0)
      return errc::reloc_ppc_rel24;
    put(place, low24.encode(word(place), shown));
    if (restore)
      put(place + 4, 0xe8410018); // ld r2,24(r1)
    return errc::ok;
  }

  template <class State>
  static errc branch(u32 type, reloc::operands const& o, std::byte* place, std::size_t room,
                     State& s, u64& shown) noexcept {
    bool const no_toc = type == rel24_notoc;
    if constexpr (requires { State::branch_islands; })
      return branch_by_islands(no_toc, o, place, room, s, shown);
    u64 v = o.s + o.a;
    bool restore = false;
    if (needs_stub(o.attributes, s.symbols.empty() ? 0 : u32{s.symbols[o.symbol].st_shndx},
                   no_toc)) {
      // Without a loader there are no stubs, and callers give values that are in reach.
      if (!s.stubs.calls.empty()) {
        v = s.stub_of(o, no_toc);
        if (v == 0)
          return errc::reloc_ppc_stub;
        u64 const insn = word(place) & 0xfc000003;
        restore = !no_toc && !s.is_profiled(o.symbol) && (insn == 0x48000001 || insn == 0x40000001);
      }
    } else if (!no_toc) {
      v += local_entry(o.attributes);
    }
    if (restore && (room < 8 || word(place + 4) != nop)) {
      shown = room < 8 ? 0 : word(place + 4);
      return errc::reloc_ppc_no_nop;
    }
    shown = v - o.p;
    if (!reloc::fits(shown, c::sign, 26) || (shown & 3) != 0)
      return errc::reloc_ppc_rel24;
    put(place, low24.encode(word(place), shown));
    if (restore)
      put(place + 4, 0xe8410018); // ld r2,24(r1)
    return errc::ok;
  }

  /// Calls out of the module, and calls without r2 of functions that need it.
  static bool needs_stub(u8 attributes, u32 shndx, bool no_toc) noexcept {
    return (attributes & symbol_undefined) != 0 || shndx == elf::shn_livepatch ||
           (no_toc && local_entry(attributes) != 0);
  }

  /// Gathers the calls of all relocation sections and counts stubs as Linux does: changes of
  /// (symbol, addend) in each section, also of symbols that are the module's own.
  template <class Context>
  static errc collect(Context const& context, state& s, u64& stubs) noexcept {
    auto const symbols = context.symbols();
    byte_view const strings = context.image.data(context.info.str);
    u64 total = 0;
    static_cast<void>(context.for_each_relocations([&](u32, auto entries) {
      for (relocation const& r : entries)
        total += is_call(r) ? 1u : 0u;
      return errc::ok;
    }));
    if (total == 0)
      return errc::ok;
    auto const all = context.template scratch<typename state::call>(total);
    s.slots = context.template scratch<u32>(symbols.size());
    if (all.empty() || (s.slots.empty() && !symbols.empty()))
      return context.no_memory(total * sizeof(typename state::call));
    std::size_t kept = 0;
    errc const code = context.for_each_relocations([&](u32 i, auto entries) {
      std::size_t n = 0;
      for (relocation const& r : entries)
        if (is_call(r))
          all[kept + n++] = {r.r_info, r.r_addend, 0, 0, form::toc};
      auto const here = all.subspan(kept, n);
      reloc::sort(here, [](auto const& a, auto const& b) {
        return a.info != b.info ? a.info > b.info : a.addend > b.addend;
      });
      bool const served = context.table[context.image.section(i).sh_info].allocated();
      typename state::call last[2] = {};
      for (auto const& x : here) {
        bool const no_toc = format::r_type(x.info) == rel24_notoc;
        auto& before = last[no_toc ? 1 : 0];
        bool const changed = x.symbol() != before.symbol() || x.addend != before.addend;
        before = x;
        stubs += changed ? 1u : 0u;
        if (!changed || !served || x.symbol() >= symbols.size())
          continue;
        auto const& symbol = symbols[x.symbol()];
        u8 const attributes = static_cast<u8>(
            (symbol.st_shndx == elf::shn_undef ? symbol_undefined : 0) | (symbol.st_other & 0xe0));
        if (!needs_stub(attributes, symbol.st_shndx, no_toc))
          continue;
        auto& out = all[kept++] = x;
        if (no_toc) {
          out.how = form::no_toc;
        } else if (Context::abi::module_struct && is_profiler(strings, symbol.st_name)) {
          if (s.profiled.empty())
            s.profiled = context.template scratch<u8>(symbols.size());
          if (s.profiled.empty())
            return context.no_memory(symbols.size());
          s.profiled[x.symbol()] = 1;
          out.how = form::profile;
        }
      }
      return errc::ok;
    });
    if (code != errc::ok || kept == 0)
      return code;
    s.stubs.calls = all.first(kept);
    s.stubs.by_target = context.template scratch<u32>(kept);
    return s.stubs.by_target.empty() ? context.no_memory(kept * sizeof(u32)) : errc::ok;
  }

  static bool is_call(relocation const& r) noexcept {
    return type_of(r) == rel24 || type_of(r) == rel24_notoc;
  }
  static bool is_profiler(byte_view strings, u64 at) noexcept {
    if (at < strings.size() && strings[static_cast<std::size_t>(at)] == std::byte{'.'})
      ++at;
    for (std::string_view n : {"_mcount"sv, "ftrace_caller"sv, "ftrace_regs_caller"sv})
      if (is_string_at(strings, at, n))
        return true;
    return false;
  }
};

using powerpc64le = powerpc64_of<elf::byte_order::little>;
using powerpc64 = powerpc64_of<elf::byte_order::big>;

} // namespace kmodld::arch
