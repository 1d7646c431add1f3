// SPDX-License-Identifier: MIT
// Arm, 32 bits, little-endian: ELF for the Arm Architecture (AAELF32), "Relocation".
//
// What is odd here: relocations are REL, the addend stands in the instruction, so a field is both
// read and written; MOVT is read as if it were MOVW, for its addend counts before the shift.
// Functions in Thumb code have odd addresses: S has the bit T of the formulas already.
//
// A branch reaches 32 MiB (Thumb: 16 MiB). What lies farther is called through a PLT entry, one
// instruction and one word. For the caches' sake they stand in blocks of two lines:
//
//   16 times  ldr pc, [pc, #56]        (Thumb: ldr.w pc, [pc, #60]; reading pc gives + 8 or + 4)
//   16 times  .word target             (bit 0 chooses the instruction set of the target)
//
// Modules carry empty sections .plt and .init.plt, which are grown before layout by the number of
// branches to other sections. Linux sorts all relocations of a text section for that and compares
// only neighbours, and a new entry only with the one before; counts and order follow from that, so
// it is done in just that way here. The first entries of each PLT are for ftrace, if the kernel
// has it: kernel_settings::ftrace_caller and mcount.
//
// Objects that are no Linux modules may mix ARM and Thumb code: a call changes the instruction set
// by becoming BLX, a jump through a PLT entry. They have a PLT for each instruction set.
#pragma once

#include <kmodld/layout/layout.hpp>
#include <kmodld/reloc/got_plt.hpp>
#include <kmodld/reloc/sort.hpp>

namespace kmodld::arch {

struct arm {
  static constexpr std::string_view name = "arm"sv;
  using format = elf::elf32_le;
  using relocation = format::rel;
  static constexpr u16 machine = 40;
  static constexpr u64 page_size = 4096;
  static constexpr u64 got_slot_size = 4;
  static constexpr u64 plt_entry_size = 0; ///< of reloc::got_plt, which has none here
  static constexpr bool ignores_got_symbol = false;
  static constexpr errc unknown_type = errc::reloc_unknown_arm;
  static constexpr errc overflow_of(u32) noexcept { return errc::reloc_range_arm; }

  template <class Base>
  struct linux_abi : Base {
    static constexpr ksymtab_format ksymtab = ksymtab_format::absolute;
    static constexpr extable_kind extable = extable_kind::absolute;
    static constexpr bool relative_jump_labels = false;
    static constexpr bool thumb2_kernel = false; ///< CONFIG_THUMB2_KERNEL
  };

  static bool accepts(format::ehdr const& h) noexcept { return h.e_machine == machine; }

  static u32 type_of(relocation const& r) noexcept { return format::r_type(r.r_info); }
  static u32 symbol_of(relocation const& r) noexcept { return format::r_sym(r.r_info); }
  static u64 addend_of(relocation const&) noexcept { return 0; } ///< in the place

  /// Words reach everything, and so do branches by the PLT.
  static constexpr reach_window reach(reach_window) noexcept { return {{0}, {0xffffffff}}; }

  /// Unwind tables of init code are init, too.
  static constexpr bool is_init_section(std::string_view s, bool module_unload) noexcept {
    return starts_with(s, ".init"sv) || starts_with(s, ".ARM.extab.init"sv) ||
           starts_with(s, ".ARM.exidx.init"sv) ||
           (!module_unload && (starts_with(s, ".exit"sv) || starts_with(s, ".ARM.extab.exit"sv) ||
                               starts_with(s, ".ARM.exidx.exit"sv)));
  }

  enum : u32 { pc24 = 1, thm_call = 10, plt32 = 27, call = 28, jump24 = 29, thm_jump24 = 30 };

private:
  using f = reloc::formula;
  using c = reloc::check;
  static constexpr u8 linux = reloc::by_linux;
  static constexpr u8 jump = reloc::branch;
  static constexpr u8 far_jump = reloc::by_linux | reloc::branch;
  // clang-format off
  static constexpr reloc::field word32{4}, word16{2}, word8{1};
  static constexpr reloc::field bits31{4, 1, {{0, 31, 0}}}, imm24{4, 1, {{2, 24, 0}}};
  static constexpr reloc::field movw{4, 2, {{0, 12, 0}, {12, 4, 16}}};
  static constexpr reloc::field thm32{4, 0, {}, true};
  static constexpr reloc::field thm_movw{4, 4, {{0, 8, 0}, {8, 3, 12}, {11, 1, 26}, {12, 4, 16}}, true};
  static constexpr reloc::field thm_j19{4, 5, {{1, 11, 0}, {12, 6, 16}, {18, 1, 13}, {19, 1, 11}, {20, 1, 26}}, true};
  static constexpr reloc::field thm_j11{2, 1, {{1, 11, 0}}}, thm_j8{2, 1, {{1, 8, 0}}};

public:
  static constexpr reloc::rule rules[] = {
      {0,   "R_ARM_NONE",             f::special,   word32,   c::none,   linux},
      {1,   "R_ARM_PC24",             f::special,   imm24,    c::sign,   far_jump},
      {2,   "R_ARM_ABS32",            f::s_a,       word32,   c::none,   linux},
      {3,   "R_ARM_REL32",            f::s_a_p,     word32,   c::none,   linux},
      {4,   "R_ARM_LDR_PC_G0",        f::special,   word32,   c::sign,   0},
      {5,   "R_ARM_ABS16",            f::s_a,       word16,   c::either, 0},
      {8,   "R_ARM_ABS8",             f::s_a,       word8,    c::either, 0},
      {10,  "R_ARM_THM_CALL",         f::special,   thm32,    c::sign,   far_jump},
      {13,  "R_ARM_TLS_DESC",         f::tls,       {},       c::none,   0},
      {17,  "R_ARM_TLS_DTPMOD32",     f::tls,       {},       c::none,   0},
      {18,  "R_ARM_TLS_DTPOFF32",     f::tls,       {},       c::none,   0},
      {19,  "R_ARM_TLS_TPOFF32",      f::tls,       {},       c::none,   0},
      {24,  "R_ARM_GOTOFF32",         f::s_a_got,   word32,   c::none,   0},
      {25,  "R_ARM_BASE_PREL",        f::got_a_p,   word32,   c::none,   0},
      {26,  "R_ARM_GOT_BREL",         f::g_a,       word32,   c::none,   0},
      {27,  "R_ARM_PLT32",            f::special,   imm24,    c::sign,   jump},
      {28,  "R_ARM_CALL",             f::special,   imm24,    c::sign,   far_jump},
      {29,  "R_ARM_JUMP24",           f::special,   imm24,    c::sign,   far_jump},
      {30,  "R_ARM_THM_JUMP24",       f::special,   thm32,    c::sign,   far_jump},
      {38,  "R_ARM_TARGET1",          f::s_a,       word32,   c::none,   linux},
      {40,  "R_ARM_V4BX",             f::special,   word32,   c::none,   linux},
      {41,  "R_ARM_TARGET2",          f::g_got_a_p, word32,   c::none,   0},
      {42,  "R_ARM_PREL31",           f::s_a_p,     bits31,   c::sign,   linux},
      {43,  "R_ARM_MOVW_ABS_NC",      f::s_a,       movw,     c::none,   linux},
      {44,  "R_ARM_MOVT_ABS",         f::special,   movw,     c::none,   linux},
      {45,  "R_ARM_MOVW_PREL_NC",     f::s_a_p,     movw,     c::none,   linux},
      {46,  "R_ARM_MOVT_PREL",        f::special,   movw,     c::none,   linux},
      {47,  "R_ARM_THM_MOVW_ABS_NC",  f::s_a,       thm_movw, c::none,   linux},
      {48,  "R_ARM_THM_MOVT_ABS",     f::special,   thm_movw, c::none,   linux},
      {49,  "R_ARM_THM_MOVW_PREL_NC", f::s_a_p,     thm_movw, c::none,   linux},
      {50,  "R_ARM_THM_MOVT_PREL",    f::special,   thm_movw, c::none,   linux},
      {51,  "R_ARM_THM_JUMP19",       f::s_a_p,     thm_j19,  c::sign,   jump},
      {53,  "R_ARM_THM_ALU_PREL_11_0", f::special,  thm32,    c::sign,   0},
      {54,  "R_ARM_THM_PC12",         f::special,   thm32,    c::sign,   0},
      {55,  "R_ARM_ABS32_NOI",        f::s_a,       word32,   c::none,   0},
      {56,  "R_ARM_REL32_NOI",        f::s_a_p,     word32,   c::none,   0},
      {57,  "R_ARM_ALU_PC_G0_NC",     f::special,   word32,   c::none,   linux},
      {58,  "R_ARM_ALU_PC_G0",        f::special,   word32,   c::sign,   0},
      {59,  "R_ARM_ALU_PC_G1_NC",     f::special,   word32,   c::none,   linux},
      {60,  "R_ARM_ALU_PC_G1",        f::special,   word32,   c::sign,   0},
      {61,  "R_ARM_ALU_PC_G2",        f::special,   word32,   c::sign,   0},
      {62,  "R_ARM_LDR_PC_G1",        f::special,   word32,   c::sign,   0},
      {63,  "R_ARM_LDR_PC_G2",        f::special,   word32,   c::sign,   linux},
      {64,  "R_ARM_LDRS_PC_G0",       f::special,   word32,   c::sign,   0},
      {65,  "R_ARM_LDRS_PC_G1",       f::special,   word32,   c::sign,   0},
      {66,  "R_ARM_LDRS_PC_G2",       f::special,   word32,   c::sign,   0},
      {67,  "R_ARM_LDC_PC_G0",        f::special,   word32,   c::sign,   0},
      {68,  "R_ARM_LDC_PC_G1",        f::special,   word32,   c::sign,   0},
      {69,  "R_ARM_LDC_PC_G2",        f::special,   word32,   c::sign,   0},
      {90,  "R_ARM_TLS_GOTDESC",      f::tls,       {},       c::none,   0},
      {91,  "R_ARM_TLS_CALL",         f::tls,       {},       c::none,   0},
      {92,  "R_ARM_TLS_DESCSEQ",      f::tls,       {},       c::none,   0},
      {93,  "R_ARM_THM_TLS_CALL",     f::tls,       {},       c::none,   0},
      {95,  "R_ARM_GOT_ABS",          f::g_got_a,   word32,   c::none,   0},
      {96,  "R_ARM_GOT_PREL",         f::g_got_a_p, word32,   c::none,   0},
      {100, "R_ARM_GNU_VTENTRY",      f::none,      {},       c::none,   0},
      {101, "R_ARM_GNU_VTINHERIT",    f::none,      {},       c::none,   0},
      {102, "R_ARM_THM_JUMP11",       f::s_a_p,     thm_j11,  c::sign,   jump},
      {103, "R_ARM_THM_JUMP8",        f::s_a_p,     thm_j8,   c::sign,   jump},
      {104, "R_ARM_TLS_GD32",         f::tls,       {},       c::none,   0},
      {105, "R_ARM_TLS_LDM32",        f::tls,       {},       c::none,   0},
      {106, "R_ARM_TLS_LDO32",        f::tls,       {},       c::none,   0},
      {107, "R_ARM_TLS_IE32",         f::tls,       {},       c::none,   0},
      {108, "R_ARM_TLS_LE32",         f::tls,       {},       c::none,   0},
      {109, "R_ARM_TLS_LDO12",        f::tls,       {},       c::none,   0},
      {110, "R_ARM_TLS_LE12",         f::tls,       {},       c::none,   0},
      {111, "R_ARM_TLS_IE12GP",       f::tls,       {},       c::none,   0},
      {129, "R_ARM_THM_TLS_DESCSEQ16", f::tls,      {},       c::none,   0},
      {130, "R_ARM_THM_TLS_DESCSEQ32", f::tls,      {},       c::none,   0},
  };
  // clang-format on

  static constexpr u8 needs_of(u32 type) noexcept {
    switch (type) {
    case 24:
    case 25: return reloc::needs_got;
    case 26:
    case 41:
    case 95:
    case 96: return reloc::needs_got | reloc::needs_got_slot;
    default: return 0;
    }
  }
  static void write_got_slot(std::byte* slot, u64 s) noexcept { put(slot, static_cast<u32>(s)); }

  /// A PLT: blocks of a line of instructions and a line of targets.
  struct plt_area {
    static constexpr u64 line = 64; ///< L1_CACHE_BYTES
    static constexpr u32 block_entries = 16;
    static constexpr u64 entry_size = 2 * line / block_entries;

    u32 section = 0;
    u32 used = 0;
    bool thumb = false;
    u64 room = 0; ///< entries
    std::byte* host = nullptr;
    address target;

    /// The entry for `to`; only the fixed ones and the last are compared. False if none is left.
    bool entry(u32 to, std::span<u32 const> fixed, u32& at) noexcept {
      if (used == 0)
        for (u32 v : fixed)
          if (!append(v))
            return false;
      u32 n = 0;
      while (n < fixed.size() && fixed[n] != to)
        ++n;
      if (n == fixed.size()) {
        bool const repeated = used != 0 && word(literal(used - 1)) == to;
        if (!repeated && !append(to))
          return false;
        n = used - 1;
      }
      at = static_cast<u32>(target.value + offset(n));
      return true;
    }

  private:
    static u64 offset(u32 n) noexcept {
      return u64{n / block_entries} * (2 * line) + u64{n % block_entries} * 4;
    }
    std::byte* literal(u32 n) const noexcept { return host + offset(n) + line; }
    bool append(u32 to) noexcept {
      if (used >= room)
        return false;
      if (used % block_entries == 0)
        for (u32 i = 0; i < block_entries; ++i) {
          if (thumb)
            put_thumb(host + offset(used + i), 0xf8dff000 | (line - 4));
          else
            put(host + offset(used + i), 0xe59ff000 | (line - 8));
          put(literal(used + i), 0);
        }
      put(literal(used++), to);
      return true;
    }
  };

  /// The PLTs and a GOT for -fpic objects.
  struct state : reloc::got_plt<arm> {
    plt_area plt_areas[2]; ///< of core and init; where code is mixed: of ARM and Thumb
    bool mixed = false;
    u32 fixed[2] = {};
    u32 fixed_count = 0;

    bool simple() const noexcept { return got_slot.empty(); }

    /// What a section took is given back when it is relocated once more.
    template <class Section>
    errc begin(Section const& in, symbol_values const&, error&) noexcept {
      bool const again = in.relocations.data() == current_ && in.bytes.data() == current_bytes_;
      current_ = in.relocations.data();
      current_bytes_ = in.bytes.data();
      for (int i = 0; i < 2; ++i)
        (again ? plt_areas[i].used : used_before_[i]) = again ? used_before_[i] : plt_areas[i].used;
      return errc::ok;
    }

    void placed(section_table const& table, module const& m) noexcept {
      got_plt::placed(table, m);
      for (plt_area& p : plt_areas)
        if (p.section != 0) {
          p.host = table[p.section].host;
          p.target = table[p.section].target;
          p.room = table[p.section].size / plt_area::entry_size;
        }
      u32 n = 0;
      for (module_memory const& part : m.all_memories())
        if ((part.kind == memory_kind::init || part.kind == memory_kind::init_text) && n < 2)
          init_text_[n++] = part.memory;
    }

    /// get_module_plt: the address of an entry for `to`, to be reached from `p`.
    errc far(bool thumb, address p, u32 to, u32& entry) noexcept {
      bool const in_init = init_text_[0].contains(p) || init_text_[1].contains(p);
      plt_area& area = plt_areas[mixed ? thumb : in_init];
      if (area.host == nullptr)
        return errc::reloc_range_arm;
      if (area.thumb != thumb || !area.entry(to, {fixed, fixed_count}, entry))
        return errc::reloc_no_slot;
      return errc::ok;
    }

  private:
    region init_text_[2];
    arm::relocation const* current_ = nullptr;
    std::byte const* current_bytes_ = nullptr;
    u32 used_before_[2] = {};
  };

  /// reloc/branch_islands.hpp; `how` is 1 for callers in Thumb code.
  ///
  ///   ldr pc, [pc, #-4]       (Thumb: ldr.w pc, [pc, #0])
  ///   .word target
  static constexpr u64 far_stub_size = 8;
  static constexpr bool is_far_call(u32 type) noexcept { return is_branch(type); }
  static constexpr u64 call_addend(u32) noexcept { return 0; }
  template <class State>
  static bool write_far_stub(std::byte* stub, address, u64 target, u32 how, State const&) noexcept {
    if (how != 0)
      put_thumb(stub, 0xf8dff000);
    else
      put(stub, 0xe51ff004);
    put(stub + 4, static_cast<u32>(target));
    return true;
  }

  /// What is no plain sum. NONE and V4BX take part for their bounds, which Linux checks, too.
  template <class State>
  [[gnu::always_inline]] static errc special(u32 type, reloc::operands const& o,
                                             std::span<std::byte> section, u64 offset, State& s,
                                             u64& shown) noexcept {
    std::byte* const at = section.data() + offset;
    u32 const v = static_cast<u32>(o.s + o.a);
    u32 const p = static_cast<u32>(o.p);
    switch (type) {
    case 0: return errc::ok;
    case 40: put(at, (word(at) & 0xf000000f) | 0x01a0f000); return errc::ok; // mov pc, Rm
    case 44: put(at, static_cast<u32>(movw.encode(word(at), v >> 16))); return errc::ok;
    case 46: put(at, static_cast<u32>(movw.encode(word(at), (v - p) >> 16))); return errc::ok;
    case 48: put_thumb(at, thm_movw.encode(thumb_word(at), v >> 16)); return errc::ok;
    case 50: put_thumb(at, thm_movw.encode(thumb_word(at), (v - p) >> 16)); return errc::ok;
    case thm_call:
    case thm_jump24: return thumb_branch(type, o, at, s, shown);
    case 53:
    case 54: return thumb_literal(type, static_cast<u32>(o.s), p, at, shown);
    case pc24:
    case plt32:
    case call:
    case jump24: return arm_branch(type, o, at, s, shown);
    default: return group(type, static_cast<u32>(o.s) - p, at, shown);
    }
  }

  /// module_frob_arch_sections: sizes of .plt and .init.plt, and the order of relocations in which
  /// branches take their entries.
  template <class Context>
  static errc frob(Context const& context, state& s) noexcept {
    using abi = typename Context::abi;
    if constexpr (abi::wide_relocations)
      if (s.count(context.image, context.table, context.symbols(),
                  reloc::needs_got | reloc::needs_got_slot,
                  [&](u64 n) { return context.template scratch<u32>(n); }) != errc::ok)
        return context.no_memory(context.symbols().size() * sizeof(u32));
    s.mixed = !abi::module_struct;
    if (s.mixed && !abi::far_calls)
      return errc::ok;
    if constexpr (requires { abi::thumb2_kernel; })
      s.plt_areas[0].thumb = s.plt_areas[1].thumb = abi::thumb2_kernel;
    for (address a : {context.env.state.settings.ftrace_caller, context.env.state.settings.mcount})
      if (a.value != 0 && !s.mixed)
        s.fixed[s.fixed_count++] = static_cast<u32>(a.value);
    if (s.mixed) {
      s.plt_areas[1].thumb = true;
    } else {
      s.plt_areas[0].section = context.table.find_any(".plt"sv);
      s.plt_areas[1].section = context.table.find_any(".init.plt"sv);
      if (s.plt_areas[0].section == 0 || s.plt_areas[1].section == 0)
        return context.missing("PLT"sv);
    }
    u32 count[2] = {s.fixed_count, s.fixed_count};
    errc const code = context.for_each_relocations([&](u32 i, auto entries) {
      u32 const t = context.image.section(i).sh_info;
      if ((context.table[t].flags & elf::shf_execinstr) == 0 || entries.empty())
        return errc::ok;
      auto order = context.reorder(i);
      if (order.empty())
        return context.no_memory(entries.size_bytes());
      reloc::sort(order, less);
      bool const in_init = kmodld::is_init_section<arm, abi>(context.table[t].name);
      byte_view const bytes = context.image.data(t);
      for (std::size_t k = 0; k < order.size(); ++k)
        if (needs_entry(order, k, context.symbols(), bytes, t))
          ++count[s.mixed ? is_thumb(type_of(order[k])) : in_init];
      return errc::ok;
    });
    for (int i = 0; i < 2; ++i) {
      u32& section = s.plt_areas[i].section;
      if (s.mixed && count[i] != 0)
        section = context.table.add(i == 0 ? ".plt"sv : ".plt.thumb"sv, 0, 1, 0);
      if (section == 0)
        continue;
      section_entry& plt = context.table[section];
      plt.type = elf::sht_nobits;
      plt.flags = elf::shf_execinstr | elf::shf_alloc;
      plt.align = plt_area::line;
      plt.size = round_up(count[i] * plt_area::entry_size, 2 * plt_area::line);
    }
    return code;
  }

private:
  static u32 word(std::byte const* p) noexcept { return format::word32::load(p); }
  static void put(std::byte* p, u32 v) noexcept { format::word32::store(p, v); }
  static u64 thumb_word(std::byte const* p) noexcept {
    return reloc::place_access<format, 4, true>::load(p);
  }
  static void put_thumb(std::byte* p, u64 v) noexcept {
    reloc::place_access<format, 4, true>::store(p, v);
  }

  static constexpr bool is_thumb(u32 type) noexcept {
    return type == thm_call || type == thm_jump24;
  }
  static constexpr bool is_branch(u32 type) noexcept {
    return type == pc24 || (type >= plt32 && type <= thm_jump24) || type == thm_call;
  }
  /// Linux leaves out the lowest value that the instruction could hold.
  static constexpr bool reaches(u32 distance, u32 limit) noexcept {
    return distance + limit - 1 < 2 * limit - 1;
  }

  /// B, BL, BLX: `imm24` words from P + 8; BLX has a bit for half a word.
  template <class State>
  static errc arm_branch(u32 type, reloc::operands const& o, std::byte* at, State& s,
                         u64& shown) noexcept {
    constexpr u32 limit = 0x2000000;
    u32 const p = static_cast<u32>(o.p), target = static_cast<u32>(o.s);
    u32 insn = word(at);
    u32 distance = target + static_cast<u32>(o.a) - p;
    shown = address_of(distance);
    if (!s.mixed && (target & 3) != 0)
      return errc::reloc_arm_to_thumb;
    bool const blx = insn >> 25 == 0xfa000000 >> 25;
    bool const is_call = blx || insn >> 24 == 0xeb;
    bool exchange = s.mixed && (target & 1) != 0;
    if (s.mixed && blx)
      distance += (insn >> 23 & 2); // its half word is part of the addend
    if (!reaches(distance, limit) || (exchange && !(is_call && type != jump24))) {
      u32 entry = 0;
      if (errc code = s.far(false, {o.p}, distance + p + 8, entry); code != errc::ok)
        return code;
      distance = entry - p - 8;
      exchange = false;
    }
    if (!reaches(distance, limit))
      return errc::reloc_range_arm;
    if (exchange)
      insn = 0xfa000000 | (distance & 2) << 23;
    else if (s.mixed && blx)
      insn = 0xeb000000;
    put(at, static_cast<u32>(imm24.encode(insn, distance)));
    return errc::ok;
  }

  /// B.W, BL, BLX: S:I1:I2:imm10:imm11:0 from P + 4, with J = ~I ^ S in the instruction; BLX counts
  /// from the word that P + 4 lies in.
  template <class State>
  [[gnu::noinline]] static errc thumb_branch(u32 type, reloc::operands const& o, std::byte* at,
                                             State& s, u64& shown) noexcept {
    constexpr u32 limit = 0x1000000;
    u64 const insn = thumb_word(at);
    u32 const sign = insn >> 26 & 1, i1 = (insn >> 13 & 1) ^ sign ^ 1,
              i2 = (insn >> 11 & 1) ^ sign ^ 1;
    u32 const addend = (0 - sign) << 24 | i1 << 23 | i2 << 22 |
                       static_cast<u32>(insn >> 16 & 0x3ff) << 12 |
                       static_cast<u32>(insn & 0x7ff) << 1;
    u32 const p = static_cast<u32>(o.p), target = static_cast<u32>(o.s);
    u32 distance = target + addend - p;
    shown = address_of(distance);
    // A label of the object may be of either kind; what is imported has its kind in bit 0.
    u8 const functions = symbol_function | (s.mixed ? symbol_undefined : 0);
    bool const to_arm = (o.attributes & functions) != 0 && (target & 1) == 0;
    if (to_arm && !s.mixed)
      return errc::reloc_thumb_to_arm;
    bool exchange = to_arm;
    if (!reaches(distance, limit) || (exchange && type == thm_jump24)) {
      u32 entry = 0;
      if (errc code = s.far(true, {o.p}, distance + p + 4, entry); code != errc::ok)
        return code;
      distance = entry - p - 4;
      exchange = false;
    }
    if (exchange)
      distance = (distance + (p & 2)) & ~u32{3};
    if (!reaches(distance, limit))
      return errc::reloc_range_arm;
    u64 const d = distance, negative = d >> 24 & 1;
    u64 const j1 = negative ^ (~d >> 23 & 1), j2 = negative ^ (~d >> 22 & 1);
    u64 out = (insn & 0xf800d000) | negative << 26 | (d >> 12 & 0x3ff) << 16 | j1 << 13 | j2 << 11 |
              (d >> 1 & 0x7ff);
    if (s.mixed && type == thm_call)
      out = (out & ~u64{0x1000}) | (exchange ? 0 : 0x1000);
    put_thumb(at, out);
    return errc::ok;
  }

  /// The group at place n of the distance: 8 bits at an even position, beginning with the highest
  /// one set. `rest` is what the groups before leave, then what this one leaves, too.
  static constexpr u32 take_group(u32& rest) noexcept {
    u32 const shift = rest == 0 ? 24 : static_cast<u32>(std::countl_zero(rest)) & ~1u;
    u32 const bits = rest & (shift >= 24 ? 0xff : 0xff000000 >> shift);
    rest &= ~bits;
    return shift >= 24 ? bits : bits >> (24 - shift) | (shift + 8) << 7; // imm8, rotation / 2
  }

  /// ADD and SUB, LDR and STR, LDRD and the like, LDC: a distance from the place in groups, its
  /// sign in the opcode.
  [[gnu::noinline]] static errc group(u32 type, u32 s_p, std::byte* at, u64& shown) noexcept {
    constexpr u32 add = 1u << 23, sub = 1u << 22;
    u32 insn = word(at);
    bool const alu = type >= 57 && type <= 61;
    bool const ldrs = type >= 64 && type <= 66, ldc = type >= 67;
    u32 value = insn & 0xfff;
    if (alu)
      value = std::rotr(insn & 0xff, static_cast<int>(insn >> 7 & 0x1e));
    else if (ldrs)
      value = (insn >> 4 & 0xf0) | (insn & 0xf);
    else if (ldc)
      value = (insn & 0xff) << 2;
    bool negative = alu ? (insn & sub) != 0 : (insn & add) == 0;
    value = (negative ? 0 - value : value) + s_p;
    shown = address_of(value);
    negative = value >> 31 != 0;
    u32 rest = negative ? 0 - value : value;
    insn &= alu ? ~(add | sub) : ~add;
    insn |= negative ? (alu ? sub : 0) : add;
    if (alu) {
      u32 const last = type <= 58 ? 0 : type <= 60 ? 1 : 2;
      u32 bits = take_group(rest);
      for (u32 n = 0; n != last; ++n)
        bits = take_group(rest);
      put(at, (insn & ~u32{0xfff}) | bits);
      return rest == 0 || type == 57 || type == 59 ? errc::ok : errc::reloc_range_arm;
    }
    u32 const before = type == 4 ? 0 : type < 64 ? type - 61 : ldrs ? type - 64 : type - 67;
    for (u32 n = 0; n != before; ++n)
      take_group(rest);
    if (rest > (ldrs ? 0xffu : ldc ? 0x3ffu : 0xfffu))
      return errc::reloc_range_arm;
    if (ldc && (rest & 3) != 0)
      return errc::reloc_misaligned;
    u32 const mask = ldrs ? 0xf0f : ldc ? 0xff : 0xfff;
    u32 const bits = ldrs ? (rest & 0xf0) << 4 | (rest & 0xf) : ldc ? rest >> 2 : rest;
    put(at, (insn & ~mask) | bits);
    return errc::ok;
  }

  /// ADR.W and LDR.W with a literal: 12 bits and a sign from the word that the place lies in.
  [[gnu::noinline]] static errc thumb_literal(u32 type, u32 s, u32 p, std::byte* at,
                                              u64& shown) noexcept {
    constexpr u64 up = u64{1} << 23, adr_sub = 0x00a00000;
    static constexpr reloc::field adr12{4, 3, {{0, 8, 0}, {8, 3, 12}, {11, 1, 26}}, true};
    static constexpr reloc::field ldr12{4, 1, {{0, 12, 0}}, true};
    bool const adr = type == 53;
    reloc::field const& field = adr ? adr12 : ldr12;
    u64 insn = thumb_word(at);
    u32 value = static_cast<u32>(field.decode(insn)) & 0xfff;
    if (adr ? (insn & adr_sub) != 0 : (insn & up) == 0)
      value = 0 - value;
    value += s - (p & ~u32{3});
    shown = address_of(value);
    bool const negative = value >> 31 != 0;
    u32 const size = negative ? 0 - value : value;
    if (size > 0xfff)
      return errc::reloc_range_arm;
    insn &= adr ? ~adr_sub : ~up;
    insn |= adr ? (negative ? adr_sub : 0) : (negative ? 0 : up);
    put_thumb(at, field.encode(insn, size));
    return errc::ok;
  }
  static u64 address_of(u32 v) noexcept { return reloc::address_wrapped<format>(v); }

  static bool less(relocation const& a, relocation const& b) noexcept {
    if (type_of(a) != type_of(b))
      return type_of(a) < type_of(b);
    return symbol_of(a) < symbol_of(b);
  }

  /// Whether the place holds a branch to the symbol itself, which an entry can be shared for.
  static bool zero_addend(relocation const& r, byte_view bytes) noexcept {
    if (bytes.size() < 4 || r.r_offset > bytes.size() - 4)
      return false;
    std::byte const* const at = bytes.data() + r.r_offset;
    return is_thumb(type_of(r)) ? (thumb_word(at) & 0x07ff2fff) == 0x07ff2ffe
                                : (word(at) & 0xffffff) == 0xfffffe;
  }

  /// count_plts for relocation k of the sorted ones.
  static bool needs_entry(std::span<relocation const> order, std::size_t k,
                          std::span<format::sym const> symbols, byte_view bytes,
                          u32 target) noexcept {
    relocation const& r = order[k];
    if (!is_branch(type_of(r)) || symbol_of(r) >= symbols.size() ||
        symbols[symbol_of(r)].st_shndx == target)
      return false;
    return k == 0 || u32{r.r_info} != u32{order[k - 1].r_info} || !zero_addend(r, bytes) ||
           !zero_addend(order[k - 1], bytes);
  }
};

} // namespace kmodld::arch
