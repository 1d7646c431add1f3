// SPDX-License-Identifier: MIT
// AArch64: ELF for the Arm 64-bit Architecture (AAELF64), "Relocation", little-endian.
//
// What is odd here: a branch reaches 128 MiB; what lies farther is called through a PLT entry that
// the loader makes:
//
//   adrp x16, page(target)
//   add  x16, x16, #lo12(target)
//   br   x16                        (x16 is IP0, which a call may clobber)
//
// Modules carry empty sections .plt and .init.plt for them, which are grown before layout by the
// number of branches to other sections (Linux: module_frob_arch_sections, count_plts). Linux sorts
// the branches of a section first, but its partition leaves out the element where its two indices
// meet; the order and the count of entries follow from that, so it is done in just that way here.
// For CPUs with erratum 843419 there is arch/aarch64_843419.hpp.
#pragma once

#include <kmodld/layout/layout.hpp>
#include <kmodld/reloc/got_plt.hpp>
#include <kmodld/reloc/sort.hpp>

namespace kmodld::arch {

struct aarch64 {
  static constexpr std::string_view name = "aarch64"sv;
  using format = elf::elf64_le;
  using relocation = format::rela;
  static constexpr u16 machine = 183;
  static constexpr u64 page_size = 4096;
  static constexpr u64 got_slot_size = 8;
  static constexpr u64 plt_entry_size = 12;
  static constexpr bool ignores_got_symbol = false;

  /// Linux has no __mcount_loc here.
  template <class Base>
  struct linux_abi : Base {
    static constexpr std::string_view mcount_section = "__patchable_function_entries"sv;
  };

  static bool accepts(format::ehdr const& h) noexcept { return h.e_machine == machine; }

  static u32 type_of(relocation const& r) noexcept { return format::r_type(r.r_info); }
  static u32 symbol_of(relocation const& r) noexcept { return format::r_sym(r.r_info); }
  static u64 addend_of(relocation const& r) noexcept { return static_cast<u64>(i64{r.r_addend}); }

  /// ADRP reaches 4 GiB, PREL32 2 GiB; branches are served by the PLT.
  static constexpr reach_window reach(reach_window w) noexcept {
    constexpr u64 distance = 0x7ff00000;
    u64 first = w.last.value > distance ? w.last.value - distance : 0;
    u64 last = w.first.value < ~u64{0} - distance ? w.first.value + distance : ~u64{0};
    return {{first}, {last}};
  }

  enum : u32 { adr_page = 275, adr_page_nc = 276, jump26 = 282, call26 = 283, got_page = 311 };

protected:
  using f = reloc::formula;
  using c = reloc::check;
  static constexpr u8 linux = reloc::by_linux;
  static constexpr u8 call = reloc::by_linux | reloc::branch;
  // clang-format off
  static constexpr reloc::field data64{8}, data32{4}, data16{2};
  static constexpr reloc::field movw0{4, 1, {{0, 16, 5}}},  movw1{4, 1, {{16, 16, 5}}},
                                movw2{4, 1, {{32, 16, 5}}}, movw3{4, 1, {{48, 16, 5}}};
  static constexpr reloc::field imm19{4, 1, {{2, 19, 5}}}, imm14{4, 1, {{2, 14, 5}}}, imm26{4, 1, {{2, 26, 0}}};
  static constexpr reloc::field adr{4, 2, {{0, 2, 29}, {2, 19, 5}}}, adrp{4, 2, {{12, 2, 29}, {14, 19, 5}}};
  static constexpr reloc::field lo12{4, 1, {{0, 12, 10}}},
      lo12_1{4, 1, {{1, 11, 10}, {0, 1, 21}}, false, 1}, lo12_2{4, 1, {{2, 10, 10}, {0, 2, 20}}, false, 1},
      lo12_3{4, 1, {{3, 9, 10}, {0, 3, 19}}, false, 1},  lo12_4{4, 1, {{4, 8, 10}, {0, 4, 18}}, false, 1};

public:
  static constexpr reloc::rule rules[] = {
      {0,   "R_AARCH64_NONE",                f::none,      {},     c::none, linux},
      {256, "R_AARCH64_NONE_withdrawn",      f::none,      {},     c::none, linux},
      {257, "R_AARCH64_ABS64",               f::s_a,       data64, c::none, linux},
      {258, "R_AARCH64_ABS32",               f::s_a,       data32, c::zero, linux},
      {259, "R_AARCH64_ABS16",               f::s_a,       data16, c::zero, linux},
      {260, "R_AARCH64_PREL64",              f::s_a_p,     data64, c::none, linux},
      {261, "R_AARCH64_PREL32",              f::s_a_p,     data32, c::sign, linux},
      {262, "R_AARCH64_PREL16",              f::s_a_p,     data16, c::sign, linux},
      {263, "R_AARCH64_MOVW_UABS_G0",        f::s_a,       movw0,  c::zero, linux},
      {264, "R_AARCH64_MOVW_UABS_G0_NC",     f::s_a,       movw0,  c::none, linux},
      {265, "R_AARCH64_MOVW_UABS_G1",        f::s_a,       movw1,  c::zero, linux},
      {266, "R_AARCH64_MOVW_UABS_G1_NC",     f::s_a,       movw1,  c::none, linux},
      {267, "R_AARCH64_MOVW_UABS_G2",        f::s_a,       movw2,  c::zero, linux},
      {268, "R_AARCH64_MOVW_UABS_G2_NC",     f::s_a,       movw2,  c::none, linux},
      {269, "R_AARCH64_MOVW_UABS_G3",        f::s_a,       movw3,  c::none, linux},
      {270, "R_AARCH64_MOVW_SABS_G0",        f::special,   data32, c::sign, linux},
      {271, "R_AARCH64_MOVW_SABS_G1",        f::special,   data32, c::sign, linux},
      {272, "R_AARCH64_MOVW_SABS_G2",        f::special,   data32, c::sign, linux},
      {273, "R_AARCH64_LD_PREL_LO19",        f::s_a_p,     imm19,  c::sign, linux},
      {274, "R_AARCH64_ADR_PREL_LO21",       f::s_a_p,     adr,    c::sign, linux},
      {275, "R_AARCH64_ADR_PREL_PG_HI21",    f::page_p,    adrp,   c::sign, linux},
      {276, "R_AARCH64_ADR_PREL_PG_HI21_NC", f::page_p,    adrp,   c::none, linux},
      {277, "R_AARCH64_ADD_ABS_LO12_NC",     f::s_a,       lo12,   c::none, linux},
      {278, "R_AARCH64_LDST8_ABS_LO12_NC",   f::s_a,       lo12,   c::none, linux},
      {279, "R_AARCH64_TSTBR14",             f::s_a_p,     imm14,  c::sign, call},
      {280, "R_AARCH64_CONDBR19",            f::s_a_p,     imm19,  c::sign, call},
      {282, "R_AARCH64_JUMP26",              f::l_a_p,     imm26,  c::sign, call},
      {283, "R_AARCH64_CALL26",              f::l_a_p,     imm26,  c::sign, call},
      {284, "R_AARCH64_LDST16_ABS_LO12_NC",  f::s_a,       lo12_1, c::none, linux},
      {285, "R_AARCH64_LDST32_ABS_LO12_NC",  f::s_a,       lo12_2, c::none, linux},
      {286, "R_AARCH64_LDST64_ABS_LO12_NC",  f::s_a,       lo12_3, c::none, linux},
      {287, "R_AARCH64_MOVW_PREL_G0",        f::special,   data32, c::sign, linux},
      {288, "R_AARCH64_MOVW_PREL_G0_NC",     f::s_a_p,     movw0,  c::none, linux},
      {289, "R_AARCH64_MOVW_PREL_G1",        f::special,   data32, c::sign, linux},
      {290, "R_AARCH64_MOVW_PREL_G1_NC",     f::s_a_p,     movw1,  c::none, linux},
      {291, "R_AARCH64_MOVW_PREL_G2",        f::special,   data32, c::sign, linux},
      {292, "R_AARCH64_MOVW_PREL_G2_NC",     f::s_a_p,     movw2,  c::none, linux},
      {293, "R_AARCH64_MOVW_PREL_G3",        f::special,   data32, c::none, linux},
      {299, "R_AARCH64_LDST128_ABS_LO12_NC", f::s_a,       lo12_4, c::none, linux},
      {307, "R_AARCH64_GOTREL64",            f::s_a_got,   data64, c::none, 0},
      {308, "R_AARCH64_GOTREL32",            f::s_a_got,   data32, c::sign, 0},
      {309, "R_AARCH64_GOT_LD_PREL19",       f::g_got_a_p, imm19,  c::sign, 0},
      {310, "R_AARCH64_LD64_GOTOFF_LO15",    f::special,   data32, c::zero, 0, 3},
      {311, "R_AARCH64_ADR_GOT_PAGE",        f::page_g_p,  adrp,   c::sign, 0},
      {312, "R_AARCH64_LD64_GOT_LO12_NC",    f::g_got_a,   lo12_3, c::none, 0},
      {313, "R_AARCH64_LD64_GOTPAGE_LO15",   f::special,   data32, c::zero, 0, 3},
      {314, "R_AARCH64_PLT32",               f::s_a_p,     data32, c::sign, 0},
      {315, "R_AARCH64_GOTPCREL32",          f::g_got_a_p, data32, c::sign, 0},
      {512, "R_AARCH64_TLSGD_ADR_PREL21",    f::tls,       {},     c::none, 0},
      {513, "R_AARCH64_TLSGD_ADR_PAGE21",    f::tls,       {},     c::none, 0},
      {514, "R_AARCH64_TLSGD_ADD_LO12_NC",   f::tls,       {},     c::none, 0},
      {541, "R_AARCH64_TLSIE_ADR_GOTTPREL_PAGE21",   f::tls, {}, c::none, 0},
      {542, "R_AARCH64_TLSIE_LD64_GOTTPREL_LO12_NC", f::tls, {}, c::none, 0},
      {549, "R_AARCH64_TLSLE_ADD_TPREL_HI12",        f::tls, {}, c::none, 0},
      {550, "R_AARCH64_TLSLE_ADD_TPREL_LO12",        f::tls, {}, c::none, 0},
      {551, "R_AARCH64_TLSLE_ADD_TPREL_LO12_NC",     f::tls, {}, c::none, 0},
      {562, "R_AARCH64_TLSDESC_ADR_PAGE21",          f::tls, {}, c::none, 0},
      {563, "R_AARCH64_TLSDESC_LD64_LO12",           f::tls, {}, c::none, 0},
      {564, "R_AARCH64_TLSDESC_ADD_LO12",            f::tls, {}, c::none, 0},
      {569, "R_AARCH64_TLSDESC_CALL",                f::tls, {}, c::none, 0},
  };
  // clang-format on

  /// ADRP, ADD with the lower bits, calls.
  static constexpr u32 turns[][3] = {{275, 277, 283}};

  static constexpr u8 needs_of(u32 type) noexcept {
    switch (type) {
    case 307:
    case 308: return reloc::needs_got;
    case 309:
    case 310:
    case 311:
    case 312:
    case 313:
    case 315: return reloc::needs_got | reloc::needs_got_slot;
    default: return 0;
    }
  }
  static void write_got_slot(std::byte* slot, u64 s) noexcept { format::word::store(slot, s); }
  static void write_plt_entry(std::byte* at, address entry, u64 target) noexcept {
    u64 const pages = ((target & ~u64{0xfff}) - (entry.value & ~u64{0xfff})) >> 12;
    put(at, 0x90000010 | (pages & 3) << 29 | (pages >> 2 & 0x7ffff) << 5); // adrp x16, page
    put(at + 4, 0x91000210 | (target & 0xfff) << 10);                      // add  x16, x16, #lo12
    put(at + 8, 0xd61f0200);                                               // br   x16
  }
  static u64 plt_target(std::byte const* at, address entry) noexcept {
    u64 const adrp_bits = word(at);
    u64 pages = (adrp_bits >> 29 & 3) | (adrp_bits >> 5 & 0x7ffff) << 2;
    pages = (pages ^ 0x100000) - 0x100000;
    return (entry.value & ~u64{0xfff}) + (pages << 12) + (u64{word(at + 4)} >> 10 & 0xfff);
  }

  /// reloc/branch_islands.hpp. What ADRP does not reach is loaded:
  ///
  ///   ldr x16, 8
  ///   br  x16
  ///   .quad target
  static constexpr u64 far_stub_size = 16;
  static constexpr bool is_far_call(u32 type) noexcept { return type == jump26 || type == call26; }
  static constexpr u64 call_addend(u32) noexcept { return 0; }
  template <class State>
  static bool write_far_stub(std::byte* stub, address at, u64 target, u32, State const&) noexcept {
    u64 const pages = (target & ~u64{0xfff}) - (at.value & ~u64{0xfff});
    if (reloc::fits(pages, c::sign, adrp.width())) {
      write_plt_entry(stub, at, target);
      put(stub + 12, 0xd503201f); // nop
    } else {
      put(stub, 0x58000050);
      put(stub + 4, 0xd61f0200);
      format::word::store(stub + 8, target);
    }
    return true;
  }

  /// MOVN or MOVZ by the sign of the value (SABS and PREL groups); a slot's distance from the GOT
  /// or from the page that the GOT begins in.
  template <class State>
  [[gnu::always_inline]] static errc special(u32 type, reloc::operands const& o,
                                             std::span<std::byte> section, u64 offset, State& state,
                                             u64& shown) noexcept {
    if (type >= 310)
      return got_lo15(type, o, section.data() + offset, state, shown);
    bool const relative = type >= 287;
    unsigned const group = relative ? (type - 287) / 2 : type - 270;
    u64 const v = o.s + o.a - (relative ? o.p : 0);
    bool const negative = (v >> 63) != 0;
    u64 const imm = static_cast<u64>(static_cast<i64>(negative ? ~v : v) >> (16 * group));
    std::byte* const place = section.data() + offset;
    u64 const insn = word(place) & ~(u64{3} << 29) & ~(u64{0xffff} << 5);
    put(place, insn | (negative ? 0 : u64{1} << 30) | (imm & 0xffff) << 5);
    shown = v;
    return imm > 0xffff && type != 293 ? errc::reloc_overflow : errc::ok;
  }

  /// The two PLTs of a module, for core and for init, and a GOT for -fpic objects.
  struct state : reloc::got_plt<aarch64> {
    struct plt_area {
      u32 section = 0;
      u32 count = 0; ///< entries that may be used; there is room for one more
      u32 used = 0;
      std::byte* host = nullptr;
      address target;
    };
    plt_area core, init;
    region init_text[2]; ///< a branch there uses the init PLT

    /// -fpic code reaches small GOTs by this name.
    bool own_symbol(std::string_view symbol, u64& value) const noexcept {
      if (got.value == 0 || !equal(symbol, "_GLOBAL_OFFSET_TABLE_"sv))
        return false;
      value = got.value;
      return true;
    }

    void placed(section_table const& table, module const& m) noexcept {
      got_plt::placed(table, m);
      for (plt_area* p : {&core, &init}) {
        p->host = table[p->section].host;
        p->target = table[p->section].target;
      }
      u32 n = 0;
      for (module_memory const& part : m.all_memories())
        if ((part.kind == memory_kind::init || part.kind == memory_kind::init_text) && n < 2)
          init_text[n++] = part.memory;
    }

    /// module_emit_plt_entry. The entry is written before it is compared with the one before, so
    /// that a repeated target leaves a copy behind the used ones: that is what the room is for.
    errc far(u32, reloc::operands const& o, u64& v) noexcept {
      address const p{o.p};
      plt_area& area = area_of(p);
      if (area.host == nullptr || area.used > area.count)
        return errc::reloc_no_slot;
      u64 const target = o.s + o.a;
      u32 n = area.used;
      // Linux's kernels and modules lie within what ADRP reaches, so it does not ask.
      if (!reloc::fits((target & ~u64{0xfff}) - (address_of(area, n).value & ~u64{0xfff}), c::sign,
                       adrp.width()))
        return errc::ok;
      write_plt_entry(at(area, n), address_of(area, n), target);
      if (n != 0 && plt_target(at(area, n - 1), address_of(area, n - 1)) == target)
        --n;
      else if (++area.used > area.count)
        return errc::reloc_no_slot;
      v = address_of(area, n) - p;
      return errc::ok;
    }

  protected:
    plt_area& area_of(address p) noexcept {
      return init_text[0].contains(p) || init_text[1].contains(p) ? init : core;
    }
    static std::byte* at(plt_area const& a, u32 n) noexcept {
      return a.host + u64{n} * plt_entry_size;
    }
    static address address_of(plt_area const& a, u32 n) noexcept {
      return a.target + u64{n} * plt_entry_size;
    }
  };

  /// module_frob_arch_sections: sizes of .plt, .init.plt and .text.ftrace_trampoline, and the order
  /// in which branches take their entries.
  template <class Context>
  static errc frob(Context const& context, state& s) noexcept {
    return frob_counting(context, s, [](auto, section_entry&, u32 plts) { return plts; });
  }

  /// module_finalize: the entries of .text.ftrace_trampoline, where the kernel has a tracer.
  template <class Context>
  static int finalize(Context const& context) noexcept {
    address const targets[] = {context.settings.ftrace_caller, context.settings.ftrace_regs_caller};
    if (!targets[0])
      return 0;
    if (context.section(".text.ftrace_trampoline"sv).host == nullptr)
      return e_noexec;
    for (std::string_view name : {".text.ftrace_trampoline"sv, ".init.text.ftrace_trampoline"sv}) {
      region const r = context.section(name);
      u64 at = 0;
      for (address target : targets)
        if (target && plt_entry_size <= r.size - at) {
          write_plt_entry(r.host + at, r.target + at, target.value);
          at += plt_entry_size;
        }
    }
    return 0;
  }

protected:
  /// `all_of(entries, target section, its PLT entries)`: how many entries the section needs in all.
  template <class Context, class AllOf>
  static errc frob_counting(Context const& context, state& s, AllOf all_of) noexcept {
    if constexpr (Context::abi::wide_relocations)
      if (s.count(context.image, context.table, context.symbols(),
                  reloc::needs_got | reloc::needs_got_slot,
                  [&](u64 n) { return context.template scratch<u32>(n); }) != errc::ok)
        return context.no_memory(context.symbols().size() * sizeof(u32));
    s.core.section = context.table.find_any(".plt"sv);
    s.init.section = context.table.find_any(".init.plt"sv);
    if (s.core.section == 0 || s.init.section == 0)
      return Context::abi::module_struct ? context.missing("PLT"sv) : errc::ok;
    errc const counted = context.for_each_relocations([&](u32 i, auto entries) {
      u32 const t = context.image.section(i).sh_info;
      if ((context.table[t].flags & elf::shf_execinstr) == 0 || entries.empty())
        return errc::ok;
      auto order = context.reorder(i);
      if (order.empty())
        return context.no_memory(entries.size_bytes());
      bool const in_init = is_init_section<aarch64, typename Context::abi>(context.table[t].name);
      u32 const plts = count_plts(order, context.symbols(), t);
      (in_init ? s.init : s.core).count += all_of(order, context.table[t], plts);
      return errc::ok;
    });
    if (counted != errc::ok)
      return counted;
    grow(context.table[s.core.section], (u64{s.core.count} + 1) * plt_entry_size, 64);
    grow(context.table[s.init.section], (u64{s.init.count} + 1) * plt_entry_size, 64);
    if (u32 i = context.table.find_any(".text.ftrace_trampoline"sv); i != 0)
      grow(context.table[i], Context::abi::ftrace_trampolines * plt_entry_size, 4);
    if (u32 i = context.table.find_any(".init.text.ftrace_trampoline"sv); i != 0)
      grow(context.table[i], Context::abi::ftrace_trampolines * plt_entry_size, 4);
    return errc::ok;
  }

  template <class State>
  static errc got_lo15(u32 type, reloc::operands const& o, std::byte* place, State const& state,
                       u64& v) noexcept {
    constexpr reloc::field lo15{4, 1, {{3, 12, 10}}};
    if (!state.has(f::g_a, o.symbol))
      return errc::reloc_no_slot;
    u64 const slot = u64{state.got_slot[o.symbol] - 1} * got_slot_size;
    v = slot + o.a + (type == 310 ? 0 : state.got.value & 0xfff);
    put(place, lo15.encode(word(place), v));
    return !reloc::fits(v, c::zero, lo15.width()) ? errc::reloc_overflow
           : v % got_slot_size != 0               ? errc::reloc_misaligned
                                                  : errc::ok;
  }

  static u32 word(std::byte const* p) noexcept { return elf::field<u32, format::order>::load(p); }
  static void put(std::byte* p, u64 v) noexcept {
    elf::field<u32, format::order>::store(p, static_cast<u32>(v));
  }

private:
  static void grow(section_entry& s, u64 size, u64 align) noexcept {
    s.type = elf::sht_nobits;
    s.flags = elf::shf_execinstr | elf::shf_alloc;
    s.align = align;
    s.size = size;
  }

  static bool less(relocation const& a, relocation const& b) noexcept {
    if (type_of(a) != type_of(b))
      return type_of(a) < type_of(b);
    if (symbol_of(a) != symbol_of(b))
      return symbol_of(a) < symbol_of(b);
    return i64{a.r_addend} < i64{b.r_addend};
  }

  static u32 count_plts(std::span<relocation> all, std::span<format::sym const> symbols,
                        u32 target) noexcept {
    auto foreign = [&](relocation const& r) {
      u32 const type = type_of(r);
      return (type == jump26 || type == call26) && symbol_of(r) < symbols.size() &&
             symbols[symbol_of(r)].st_shndx != target;
    };
    std::size_t i = 0, j = all.size() - 1;
    while (i < j)
      if (foreign(all[i]))
        ++i;
      else if (foreign(all[j]))
        std::swap(all[i], all[j]);
      else
        --j;
    reloc::sort(all.first(i), less);
    u32 count = 0;
    for (std::size_t k = 0; k < all.size(); ++k) {
      relocation const& r = all[k];
      bool const repeated = i64{r.r_addend} == 0 && k != 0 &&
                            u64{r.r_info} == u64{all[k - 1].r_info} &&
                            i64{all[k - 1].r_addend} == 0;
      if (foreign(r) && !repeated)
        ++count;
    }
    return count;
  }
};

} // namespace kmodld::arch
