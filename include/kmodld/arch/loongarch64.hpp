// SPDX-License-Identifier: MIT
// LoongArch64: ELF for the LoongArch Architecture (laelf), version 2.30, "Relocation".
//
// What is odd here:
// - The first ABI had no types for instructions: PUSH types put values on a stack, SUB, SL, SR,
// ADD,
//   AND and IF_ELSE compute with them, POP types write the result into a field. The stack has 16
//   values and lives for one relocation section. The present ABI (B26, PCALA, GOT_PC) has fields.
// - Frob sorts the relocations of each code section to count what calls and GOT entries there are.
//   Linux applies them in that order; GOT entries are numbered by it. With stack types that would
//   be wrong, so that a section with such types is applied in the file's order here.
// - PCALA_HI20 is computed from pages, rounded by the sign of the low 12 bits; its two 64-bit
//   companions complete what is left between the symbol and the reach of the first, each with its
//   own P.
// - GOT and PLT entries are shared by value, not by symbol. A call reaches 128 MiB; beyond:
//
//     lu12i.w t1, target[31:12]
//     lu32i.d t1, target[51:32]
//     lu52i.d t1, t1, target[63:52]
//     jirl    zero, t1, target[11:0]
//
//   Modules carry empty sections .got, .plt and .plt.idx (the targets of .plt) for them.
// - RELAX is a hint; ALIGN asks for instructions to be deleted and is refused, as in Linux.
#pragma once

#include <kmodld/abi.hpp>
#include <kmodld/layout/section_table.hpp>
#include <kmodld/module.hpp>
#include <kmodld/reloc/address_slots.hpp>
#include <kmodld/reloc/classes.hpp>
#include <kmodld/reloc/section.hpp>
#include <kmodld/reloc/sort.hpp>

namespace kmodld::arch {

struct loongarch64 {
  static constexpr std::string_view name = "loongarch64"sv;
  using format = elf::elf64_le;
  using relocation = format::rela;
  static constexpr u16 machine = 258;
  static constexpr u64 page_size = 16384;
  /// Modules reach what others export by GOT and PLT.
  static constexpr bool exports_anywhere = true;
  static constexpr u64 got_slot_size = 8;
  static constexpr u64 plt_entry_size = 16;
  static constexpr bool ignores_got_symbol = false;
  static constexpr errc unknown_type = errc::reloc_unknown_type;

  template <class Base>
  struct linux_abi : Base {
    static constexpr ksymtab_format ksymtab = ksymtab_format::absolute;
    static constexpr std::string_view mcount_section = "__patchable_function_entries"sv;
  };

  static bool accepts(format::ehdr const& h) noexcept {
    return h.e_machine == machine && h.e_ident[4] == format::elf_class;
  }

  static u32 type_of(relocation const& r) noexcept { return format::r_type(r.r_info); }
  static u32 symbol_of(relocation const& r) noexcept { return format::r_sym(r.r_info); }
  static u64 addend_of(relocation const& r) noexcept { return static_cast<u64>(i64{r.r_addend}); }

  /// A module's parts call each other and its PLT, which takes them anywhere, within 128 MiB.
  static constexpr reach_window reach(reach_window w) noexcept {
    constexpr u64 distance = 0x7f00000; // a megabyte is left for the module's own size
    u64 first = w.last.value > distance ? w.last.value - distance : 0;
    u64 last = w.first.value < ~u64{0} - distance ? w.first.value + distance : ~u64{0};
    return {{first}, {last}};
  }

private:
  using f = reloc::formula;
  using c = reloc::check;
  static constexpr u8 linux = reloc::by_linux;
  static constexpr u8 call = reloc::by_linux | reloc::branch;
  // clang-format off
  static constexpr reloc::field data64{8}, data32{4}, data16{2}, data8{1};
  static constexpr reloc::field si12{4, 1, {{0, 12, 10}}}, si16{4, 1, {{0, 16, 10}}}, si20{4, 1, {{0, 20, 5}}};
  static constexpr reloc::field off16{4, 1, {{2, 16, 10}}}, pc20{4, 1, {{2, 20, 5}}},
                                off21{4, 2, {{2, 16, 10}, {18, 5, 0}}}, off26{4, 2, {{2, 16, 10}, {18, 10, 0}}};
  static constexpr reloc::field abs20{4, 1, {{12, 20, 5}}}, abs64_20{4, 1, {{32, 20, 5}}}, abs64_12{4, 1, {{52, 12, 10}}};

public:
  static constexpr reloc::rule rules[] = {
      {0,   "R_LARCH_NONE",                         f::none,    {},        c::none,  linux},
      {1,   "R_LARCH_32",                           f::s_a,     data32,    c::none,  linux},
      {2,   "R_LARCH_64",                           f::s_a,     data64,    c::none,  linux},
      {3,   "R_LARCH_RELATIVE",                     f::refused, {},        c::none,  linux},
      {4,   "R_LARCH_COPY",                         f::refused, {},        c::none,  linux},
      {5,   "R_LARCH_JUMP_SLOT",                    f::refused, {},        c::none,  linux},
      {6,   "R_LARCH_TLS_DTPMOD32",                 f::tls,     {},        c::none,  linux},
      {7,   "R_LARCH_TLS_DTPMOD64",                 f::tls,     {},        c::none,  linux},
      {8,   "R_LARCH_TLS_DTPREL32",                 f::tls,     {},        c::none,  linux},
      {9,   "R_LARCH_TLS_DTPREL64",                 f::tls,     {},        c::none,  linux},
      {10,  "R_LARCH_TLS_TPREL32",                  f::tls,     {},        c::none,  linux},
      {11,  "R_LARCH_TLS_TPREL64",                  f::tls,     {},        c::none,  linux},
      {12,  "R_LARCH_IRELATIVE",                    f::refused, {},        c::none,  linux},
      {13,  "R_LARCH_TLS_DESC32",                   f::tls,     {},        c::none,  linux},
      {14,  "R_LARCH_TLS_DESC64",                   f::tls,     {},        c::none,  linux},
      {20,  "R_LARCH_MARK_LA",                      f::none,    {},        c::none,  linux},
      {21,  "R_LARCH_MARK_PCREL",                   f::none,    {},        c::none,  linux},
      {22,  "R_LARCH_SOP_PUSH_PCREL",               f::special, {},        c::none,  linux},
      {23,  "R_LARCH_SOP_PUSH_ABSOLUTE",            f::special, {},        c::none,  linux},
      {24,  "R_LARCH_SOP_PUSH_DUP",                 f::special, {},        c::none,  linux},
      {25,  "R_LARCH_SOP_PUSH_GPREL",               f::refused, {},        c::none,  linux},
      {26,  "R_LARCH_SOP_PUSH_TLS_TPREL",           f::tls,     {},        c::none,  linux},
      {27,  "R_LARCH_SOP_PUSH_TLS_GOT",             f::tls,     {},        c::none,  linux},
      {28,  "R_LARCH_SOP_PUSH_TLS_GD",              f::tls,     {},        c::none,  linux},
      {29,  "R_LARCH_SOP_PUSH_PLT_PCREL",           f::special, {},        c::none,  call},
      {30,  "R_LARCH_SOP_ASSERT",                   f::refused, {},        c::none,  linux},
      {31,  "R_LARCH_SOP_NOT",                      f::refused, {},        c::none,  linux},
      {32,  "R_LARCH_SOP_SUB",                      f::special, {},        c::none,  linux},
      {33,  "R_LARCH_SOP_SL",                       f::special, {},        c::none,  linux},
      {34,  "R_LARCH_SOP_SR",                       f::special, {},        c::none,  linux},
      {35,  "R_LARCH_SOP_ADD",                      f::special, {},        c::none,  linux},
      {36,  "R_LARCH_SOP_AND",                      f::special, {},        c::none,  linux},
      {37,  "R_LARCH_SOP_IF_ELSE",                  f::special, {},        c::none,  linux},
      {38,  "R_LARCH_SOP_POP_32_S_10_5",            f::refused, {},        c::none,  linux},
      {39,  "R_LARCH_SOP_POP_32_U_10_12",           f::special, si12,      c::zero,  linux},
      {40,  "R_LARCH_SOP_POP_32_S_10_12",           f::special, si12,      c::sign,  linux},
      {41,  "R_LARCH_SOP_POP_32_S_10_16",           f::special, si16,      c::sign,  linux},
      {42,  "R_LARCH_SOP_POP_32_S_10_16_S2",        f::special, off16,     c::sign,  linux, 2},
      {43,  "R_LARCH_SOP_POP_32_S_5_20",            f::special, si20,      c::sign,  linux},
      {44,  "R_LARCH_SOP_POP_32_S_0_5_10_16_S2",    f::special, off21,     c::sign,  linux, 2},
      {45,  "R_LARCH_SOP_POP_32_S_0_10_10_16_S2",   f::special, off26,     c::sign,  linux, 2},
      {46,  "R_LARCH_SOP_POP_32_U",                 f::special, data32,    c::zero,  linux},
      {47,  "R_LARCH_ADD8",                         f::special, data8,     c::none,  0},
      {48,  "R_LARCH_ADD16",                        f::special, data16,    c::none,  0},
      {50,  "R_LARCH_ADD32",                        f::special, data32,    c::none,  linux},
      {51,  "R_LARCH_ADD64",                        f::special, data64,    c::none,  linux},
      {52,  "R_LARCH_SUB8",                         f::special, data8,     c::none,  0},
      {53,  "R_LARCH_SUB16",                        f::special, data16,    c::none,  0},
      {55,  "R_LARCH_SUB32",                        f::special, data32,    c::none,  linux},
      {56,  "R_LARCH_SUB64",                        f::special, data64,    c::none,  linux},
      {57,  "R_LARCH_GNU_VTINHERIT",                f::none,    {},        c::none,  0},
      {58,  "R_LARCH_GNU_VTENTRY",                  f::none,    {},        c::none,  0},
      {64,  "R_LARCH_B16",                          f::s_a_p,   off16,     c::sign,  reloc::branch, 2},
      {65,  "R_LARCH_B21",                          f::s_a_p,   off21,     c::sign,  reloc::branch, 2},
      {66,  "R_LARCH_B26",                          f::l_a_p,   off26,     c::sign,  call, 2},
      {67,  "R_LARCH_ABS_HI20",                     f::s_a,     abs20,     c::none,  0},
      {68,  "R_LARCH_ABS_LO12",                     f::s_a,     si12,      c::none,  0},
      {69,  "R_LARCH_ABS64_LO20",                   f::s_a,     abs64_20,  c::none,  0},
      {70,  "R_LARCH_ABS64_HI12",                   f::s_a,     abs64_12,  c::none,  0},
      {71,  "R_LARCH_PCALA_HI20",                   f::special, si20,      c::none,  linux},
      {72,  "R_LARCH_PCALA_LO12",                   f::s_a,     si12,      c::none,  linux},
      {73,  "R_LARCH_PCALA64_LO20",                 f::special, si20,      c::none,  linux},
      {74,  "R_LARCH_PCALA64_HI12",                 f::special, si12,      c::none,  linux},
      {75,  "R_LARCH_GOT_PC_HI20",                  f::special, si20,      c::none,  linux},
      {76,  "R_LARCH_GOT_PC_LO12",                  f::special, si12,      c::none,  linux},
      {77,  "R_LARCH_GOT64_PC_LO20",                f::special, si20,      c::none,  0},
      {78,  "R_LARCH_GOT64_PC_HI12",                f::special, si12,      c::none,  0},
      {79,  "R_LARCH_GOT_HI20",                     f::special, si20,      c::none,  0},
      {80,  "R_LARCH_GOT_LO12",                     f::special, si12,      c::none,  0},
      {81,  "R_LARCH_GOT64_LO20",                   f::special, si20,      c::none,  0},
      {82,  "R_LARCH_GOT64_HI12",                   f::special, si12,      c::none,  0},
      {83,  "R_LARCH_TLS_LE_HI20",                  f::tls,     {},        c::none,  linux},
      {84,  "R_LARCH_TLS_LE_LO12",                  f::tls,     {},        c::none,  linux},
      {85,  "R_LARCH_TLS_LE64_LO20",                f::tls,     {},        c::none,  linux},
      {86,  "R_LARCH_TLS_LE64_HI12",                f::tls,     {},        c::none,  linux},
      {87,  "R_LARCH_TLS_IE_PC_HI20",               f::tls,     {},        c::none,  linux},
      {88,  "R_LARCH_TLS_IE_PC_LO12",               f::tls,     {},        c::none,  linux},
      {89,  "R_LARCH_TLS_IE64_PC_LO20",             f::tls,     {},        c::none,  linux},
      {90,  "R_LARCH_TLS_IE64_PC_HI12",             f::tls,     {},        c::none,  linux},
      {91,  "R_LARCH_TLS_IE_HI20",                  f::tls,     {},        c::none,  linux},
      {92,  "R_LARCH_TLS_IE_LO12",                  f::tls,     {},        c::none,  linux},
      {93,  "R_LARCH_TLS_IE64_LO20",                f::tls,     {},        c::none,  linux},
      {94,  "R_LARCH_TLS_IE64_HI12",                f::tls,     {},        c::none,  linux},
      {95,  "R_LARCH_TLS_LD_PC_HI20",               f::tls,     {},        c::none,  linux},
      {96,  "R_LARCH_TLS_LD_HI20",                  f::tls,     {},        c::none,  linux},
      {97,  "R_LARCH_TLS_GD_PC_HI20",               f::tls,     {},        c::none,  linux},
      {98,  "R_LARCH_TLS_GD_HI20",                  f::tls,     {},        c::none,  linux},
      {99,  "R_LARCH_32_PCREL",                     f::s_a_p,   data32,    c::none,  linux},
      {100, "R_LARCH_RELAX",                        f::none,    {},        c::none,  0},
      {101, "R_LARCH_DELETE",                       f::refused, {},        c::none,  linux},
      {102, "R_LARCH_ALIGN",                        f::refused, {},        c::none,  linux},
      {103, "R_LARCH_PCREL20_S2",                   f::s_a_p,   pc20,      c::sign,  0, 2},
      {104, "R_LARCH_CFA",                          f::refused, {},        c::none,  linux},
      {105, "R_LARCH_ADD6",                         f::special, data8,     c::none,  0},
      {106, "R_LARCH_SUB6",                         f::special, data8,     c::none,  0},
      {107, "R_LARCH_ADD_ULEB128",                  f::special, data8,     c::none,  0},
      {108, "R_LARCH_SUB_ULEB128",                  f::special, data8,     c::none,  0},
      {109, "R_LARCH_64_PCREL",                     f::s_a_p,   data64,    c::none,  linux},
      {110, "R_LARCH_CALL36",                       f::special, data64,    c::none,  reloc::branch},
      {111, "R_LARCH_TLS_DESC_PC_HI20",             f::tls,     {},        c::none,  linux},
      {112, "R_LARCH_TLS_DESC_PC_LO12",             f::tls,     {},        c::none,  linux},
      {113, "R_LARCH_TLS_DESC64_PC_LO20",           f::tls,     {},        c::none,  linux},
      {114, "R_LARCH_TLS_DESC64_PC_HI12",           f::tls,     {},        c::none,  linux},
      {115, "R_LARCH_TLS_DESC_HI20",                f::tls,     {},        c::none,  linux},
      {116, "R_LARCH_TLS_DESC_LO12",                f::tls,     {},        c::none,  linux},
      {117, "R_LARCH_TLS_DESC64_LO20",              f::tls,     {},        c::none,  linux},
      {118, "R_LARCH_TLS_DESC64_HI12",              f::tls,     {},        c::none,  linux},
      {119, "R_LARCH_TLS_DESC_LD",                  f::tls,     {},        c::none,  linux},
      {120, "R_LARCH_TLS_DESC_CALL",                f::tls,     {},        c::none,  linux},
      {121, "R_LARCH_TLS_LE_HI20_R",                f::tls,     {},        c::none,  linux},
      {122, "R_LARCH_TLS_LE_ADD_R",                 f::tls,     {},        c::none,  linux},
      {123, "R_LARCH_TLS_LE_LO12_R",                f::tls,     {},        c::none,  linux},
      {124, "R_LARCH_TLS_LD_PCREL20_S2",            f::tls,     {},        c::none,  linux},
      {125, "R_LARCH_TLS_GD_PCREL20_S2",            f::tls,     {},        c::none,  linux},
      {126, "R_LARCH_TLS_DESC_PCREL20_S2",          f::tls,     {},        c::none,  linux},
  };
  // clang-format on

  /// `%s: Unsupport relocation type %u, please add its support.`
  static constexpr errc refusal(u32) noexcept { return errc::reloc_unsupported; }
  /// Whether a type asks for a GOT slot of S + A.
  static constexpr bool takes_slot(u32 type) noexcept { return type >= 75 && type <= 82; }

  /// The stack of one section, and the GOT and PLT of the module.
  struct state {
    static constexpr u32 depth = 16;

    reloc::address_slots<format> got_slots;
    reloc::address_slots<format> plt_slots; ///< .plt.idx: the targets of .plt
    std::byte* plt_host = nullptr;
    u32 got_section = 0, plt_section = 0, plt_idx_section = 0;
    u64 seed = 0;
    bool linux = false; ///< a module of Linux: it takes some values of symbols for error codes
    address got, plt;
    std::span<format::sym const> symbols;

    bool simple() const noexcept { return !error_values_; }
    bool has(f, u32) const noexcept { return false; }
    u64 compute(f, reloc::operands const&) const noexcept { return 0; }
    bool is_error(u64 s) const noexcept { return error_values_ && s >= first_error; }

    void placed(section_table const& table, module const&) noexcept {
      auto place = [&table](reloc::address_slots<format>& slots, u32 section) {
        slots.host = table[section].host;
        slots.target = table[section].target;
      };
      place(got_slots, got_section);
      place(plt_slots, plt_idx_section);
      plt_host = table[plt_section].host;
      got = got_slots.target;
      plt = table[plt_section].target;
    }
    void fill(section_table const&, std::span<u64 const> values) noexcept {
      if (linux)
        for (u64 v : values)
          error_values_ = error_values_ || v >= first_error;
    }

    template <class Section, class Symbols>
    errc begin(Section const&, Symbols const&, error&) noexcept {
      top_ = 0;
      return errc::ok;
    }

    /// module_emit_got_entry.
    errc got_entry(u64 v, u64& entry) noexcept {
      u32 n = 0;
      bool fresh = false;
      if (got_slots.find(v, seed, n, fresh) != errc::ok)
        return linux ? errc::reloc_bad_got : errc::reloc_no_slot;
      entry = got_slots.slot(n).value;
      return errc::ok;
    }

    /// module_emit_plt_entry, for a call out of reach.
    errc far(u32, reloc::operands const& o, u64& v) noexcept {
      u32 n = 0;
      bool fresh = false;
      u64 const target = o.s + o.a;
      if (errc code = plt_slots.find(target, seed, n, fresh); code != errc::ok)
        return code;
      if (fresh)
        write_plt_entry(plt_host + u64{n} * plt_entry_size, target);
      v = plt.value + u64{n} * plt_entry_size - o.p;
      return errc::ok;
    }

    errc push(u64 v) noexcept {
      if (top_ == depth)
        return errc::reloc_stack;
      stack_[top_++] = v;
      return errc::ok;
    }
    bool pop(u64& v) noexcept {
      if (top_ == 0)
        return false;
      v = stack_[--top_];
      return true;
    }

  private:
    static constexpr u64 first_error = ~u64{4094};

    u64 stack_[depth] = {};
    u32 top_ = 0;
    bool error_values_ = false;
  };

  /// What is no plain sum: the stack, sums in place, and what goes by pages or by the GOT.
  template <class State>
  [[gnu::always_inline]] static errc special(u32 type, reloc::operands const& o,
                                             std::span<std::byte> section, u64 offset, State& state,
                                             u64& shown) noexcept {
    std::byte* const place = section.data() + offset;
    u64 v = o.s + o.a;
    shown = v;
    if (type <= 46)
      return with_stack(type, o, place, state, shown);
    if (takes_slot(type))
      if (errc code = state.got_entry(v, v); code != errc::ok)
        return code;
    switch (type) {
    case 47:
    case 48:
    case 50:
    case 51: return add_at(type - 47, place, v);
    case 52:
    case 53:
    case 55:
    case 56: return add_at(type - 52, place, 0 - v);
    case 71:
    case 75: put(place, si20, pages(v, o.p) >> 12); return errc::ok;
    case 76:
    case 80: put(place, si12, v); return errc::ok;
    case 73:
    case 77: put(place, si20, beyond_pages(v, o.p) >> 32); return errc::ok;
    case 74:
    case 78: put(place, si12, beyond_pages(v, o.p) >> 52); return errc::ok;
    case 79: put(place, abs20, v); return errc::ok;
    case 81: put(place, abs64_20, v); return errc::ok;
    case 82: put(place, abs64_12, v); return errc::ok;
    case 105:
    case 106: add_6(place, type == 105 ? v : 0 - v); return errc::ok;
    case 107:
    case 108: return add_uleb128(section, offset, type == 107 ? v : 0 - v);
    case 110:
      shown = v -= o.p;
      if constexpr (requires { State::branch_islands; })
        if (!reloc::fits(v + 0x20000, c::sign, 38))
          static_cast<void>(state.far(type, o, v));
      return call_36(place, v);
    default: return unknown_type;
    }
  }

  /// module_frob_arch_sections: sizes of .got, .plt and .plt.idx.
  template <class Context>
  static errc frob(Context const& context, state& s) noexcept {
    section_table& table = context.table;
    s.got_section = table.find_any(".got"sv);
    s.plt_section = table.find_any(".plt"sv);
    s.plt_idx_section = table.find_any(".plt.idx"sv);
    s.linux = Context::abi::module_struct;
    s.seed = context.env.hash_seed();
    if (s.linux && s.got_section == 0)
      return context.missing("GOT"sv);
    if (s.linux && s.plt_section == 0)
      return context.missing("PLT"sv);
    if (s.linux && s.plt_idx_section == 0)
      return context.missing("PLT.IDX"sv);
    u64 gots = 0, plts = 0;
    errc const counted = context.for_each_relocations([&](u32 i, auto entries) {
      u32 const t = context.image.section(i).sh_info;
      if ((table[t].flags & elf::shf_execinstr) == 0 || entries.empty())
        return errc::ok;
      auto order = context.reorder(i);
      if (order.empty())
        return context.no_memory(entries.size_bytes());
      sort(order);
      bool stack = false;
      for (std::size_t k = 0; k < order.size(); ++k) {
        u32 const type = type_of(order[k]);
        stack = stack || (type >= 22 && type <= 46);
        if (k != 0 && !less(order[k - 1], order[k]))
          continue;
        gots += type == 75 || (Context::abi::wide_relocations && type == 79) ? 1u : 0u;
        if constexpr (!requires { Context::arch::branch_islands; })
          plts += type == 29 || type == 66 ? 1u : 0u;
      }
      if (stack)
        __builtin_memcpy(order.data(), entries.data(), entries.size_bytes());
      return errc::ok;
    });
    if (counted != errc::ok)
      return counted;
    if (!provide(context, s.got_slots, gots) || !provide(context, s.plt_slots, plts))
      return context.no_memory((gots + plts) * sizeof(u32));
    room(table, s.got_section, ".got"sv, gots, got_slot_size, 0);
    room(table, s.plt_section, ".plt"sv, plts, plt_entry_size, elf::shf_execinstr);
    room(table, s.plt_idx_section, ".plt.idx"sv, plts, sizeof(u64), 0);
    if (u32 i = table.find_any(".ftrace_trampoline"sv); i != 0)
      grow(table[i], ftrace_entries * plt_entry_size, 4, elf::shf_execinstr);
    return errc::ok;
  }

  /// Linux's order: by symbol, type and addend.
  static void sort(std::span<relocation> all) noexcept { reloc::sort(all, less); }

  static void write_plt_entry(std::byte* at, u64 target) noexcept {
    constexpr u32 t1 = 13;
    format::word32::store(at, static_cast<u32>(0x14000000 | (target >> 12 & 0xfffff) << 5 | t1));
    format::word32::store(at + 4,
                          static_cast<u32>(0x16000000 | (target >> 32 & 0xfffff) << 5 | t1));
    format::word32::store(at + 8, static_cast<u32>(0x03000000 | target >> 52 << 10 | t1 << 5 | t1));
    format::word32::store(at + 12,
                          static_cast<u32>(0x4c000000 | (target & 0xfff) >> 2 << 10 | t1 << 5));
  }

  /// reloc/branch_islands.hpp.
  static constexpr u64 far_stub_size = plt_entry_size;
  static constexpr bool is_far_call(u32 type) noexcept {
    return type == 29 || type == 66 || type == 110;
  }
  static constexpr u64 call_addend(u32) noexcept { return 0; }
  template <class State>
  static bool write_far_stub(std::byte* stub, address, u64 target, u32, State const&) noexcept {
    write_plt_entry(stub, target);
    return true;
  }

private:
  static constexpr u64 ftrace_entries = 2; ///< plain and with registers

  static void put(std::byte* p, reloc::field const& where, u64 v) noexcept {
    format::word32::store(p, static_cast<u32>(where.encode(format::word32::load(p), v)));
  }

  /// From the page of P to that of `v`, as PCALA_HI20 reaches it: 32 bits, sign-extended.
  static constexpr u64 pages(u64 v, u64 p) noexcept {
    u64 const distance = ((v + 0x800) & ~u64{0xfff}) - (p & ~u64{0xfff});
    return static_cast<u64>(i64{static_cast<i32>(static_cast<u32>(distance))});
  }
  static constexpr u64 beyond_pages(u64 v, u64 p) noexcept {
    return v - ((p & ~u64{0xfff}) + pages(v, p));
  }

  template <class State>
  static errc with_stack(u32 type, reloc::operands const& o, std::byte* place, State& state,
                         u64& shown) noexcept {
    u64 x = 0, y = 0, z = 0;
    switch (type) {
    case 22: return state.push(shown - o.p);
    case 23: return state.push(shown);
    case 24:
      if (!state.pop(x))
        return errc::reloc_stack;
      static_cast<void>(state.push(x));
      return state.push(x);
    case 29: {
      u64 v = shown - o.p;
      if (!reloc::fits(v, c::sign, off26.width()))
        if (errc code = state.far(type, o, v); code != errc::ok)
          return code;
      return state.push(v);
    }
    case 37:
      if (!state.pop(z) || !state.pop(y) || !state.pop(x))
        return errc::reloc_stack;
      return state.push(x != 0 ? y : z);
    default: break;
    }
    if (type >= 39)
      return state.pop(shown) ? pop_into(type, place, shown) : errc::reloc_stack;
    if (!state.pop(y) || !state.pop(x))
      return errc::reloc_stack;
    switch (type) {
    case 32: return state.push(x - y);
    case 33: return state.push(x << (y & 63));
    case 34: return state.push(static_cast<u64>(static_cast<i64>(x) >> (y & 63)));
    case 35: return state.push(x + y);
    case 36: return state.push(x & y);
    default: return unknown_type;
    }
  }

  static errc pop_into(u32 type, std::byte* place, u64 v) noexcept {
    reloc::rule const& row = *reloc::find_rule<loongarch64>(type);
    if ((v & ((u64{1} << row.align) - 1)) != 0)
      return errc::reloc_misaligned;
    if (!reloc::fits(v, row.check, row.field.width()))
      return errc::reloc_overflow;
    put(place, row.field, v);
    return errc::ok;
  }

  /// Adds to the place of `which`: 8, 16, (24, unused), 32 or 64 bits.
  static errc add_at(u32 which, std::byte* p, u64 v) noexcept {
    switch (which) {
    case 0: add_to<u8>(p, v); break;
    case 1: add_to<u16>(p, v); break;
    case 3: add_to<u32>(p, v); break;
    default: add_to<u64>(p, v); break;
    }
    return errc::ok;
  }
  template <class T>
  static void add_to(std::byte* p, u64 v) noexcept {
    using stored = elf::field<T, format::order>;
    stored::store(p, static_cast<T>(stored::load(p) + v));
  }

  /// The top two bits belong to somebody else.
  static void add_6(std::byte* p, u64 v) noexcept {
    u64 const old = std::to_integer<u64>(*p);
    *p = static_cast<std::byte>((old & 0xc0) | ((old + v) & 0x3f));
  }

  /// The number keeps its length; what does not fit is cut off, as the psABI has it.
  static errc add_uleb128(std::span<std::byte> section, u64 offset, u64 v) noexcept {
    constexpr unsigned longest = 10;
    std::span<std::byte> const rest = section.subspan(static_cast<std::size_t>(offset));
    u64 old = 0;
    unsigned n = 0;
    bool more = true;
    for (; more; ++n) {
      if (n == rest.size() || n == longest)
        return errc::reloc_overflow;
      u64 const byte = std::to_integer<u64>(rest[n]);
      old |= (byte & 0x7f) << (7 * n);
      more = (byte & 0x80) != 0;
    }
    v += old;
    for (unsigned i = 0; i < n; ++i, v >>= 7)
      rest[i] = static_cast<std::byte>((v & 0x7f) | (i + 1 != n ? 0x80 : 0));
    return errc::ok;
  }

  /// pcaddu18i with jirl: 38 bits, the lower 18 of them signed.
  static errc call_36(std::byte* place, u64 v) noexcept {
    if (v % 4 != 0)
      return errc::reloc_misaligned;
    u64 const rounded = v + 0x20000;
    if (!reloc::fits(rounded, c::sign, 38))
      return errc::reloc_overflow;
    put(place, si20, rounded >> 18);
    put(place + 4, off16, v);
    return errc::ok;
  }

  static bool less(relocation const& a, relocation const& b) noexcept {
    u64 const x = a.r_info, y = b.r_info;
    return x != y ? x < y : i64{a.r_addend} < i64{b.r_addend};
  }

  template <class Context>
  static bool provide(Context const& context, reloc::address_slots<format>& slots,
                      u64 count) noexcept {
    slots.room = static_cast<u32>(count);
    slots.index = context.template scratch<u32>(count == 0 ? 1 : reloc::hash_slots_for(count));
    return !slots.index.empty();
  }

  /// Makes room for `count` entries and, as Linux does, one more; objects that are no modules get
  /// the section if they need it.
  static void room(section_table& table, u32& section, std::string_view called, u64 count,
                   u64 entry, u64 flags) noexcept {
    if (section != 0)
      grow(table[section], (count + 1) * entry, 64, flags);
    else if (count != 0)
      section = table.add(called, count * entry, 64, flags);
  }
  static void grow(section_entry& s, u64 size, u64 align, u64 flags) noexcept {
    s.type = elf::sht_nobits;
    s.flags = elf::shf_alloc | flags;
    s.align = align;
    s.size = size;
  }
};

} // namespace kmodld::arch
