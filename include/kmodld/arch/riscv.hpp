// SPDX-License-Identifier: MIT
// RISC-V, 64 and 32 bits: RISC-V ELF psABI 1.0, "Relocations"; little-endian, RELA.
//
// What is odd here:
// - An address is made by two instructions: AUIPC takes the upper 20 bits of a distance, the next
//   one the lower 12, sign-extended, so that the upper part is rounded by 0x800 and what can be
//   reached is [-2^31 - 2^11, 2^31 - 2^11). The low part (PCREL_LO12) names no target but the label
//   of its AUIPC; the distance is that of the HI20 found at this label in the same section of
//   relocations. Assemblers emit relocations by ascending offset, so the HI20 is found by a search
//   that begins at the last one; where they do not ascend, an index is sorted once a section.
// - A difference of two symbols is a pair ADD, SUB at one place; SET replaces. Linkers work on the
//   place itself. Linux since 6.7 starts from 0 instead, applies all of one place to a temporary,
//   and stores it at the end of the section with the width of the last type.
// - RELAX lets linkers shorten code, ALIGN makes them delete padding. Kernels are not relaxed: the
//   first is ignored, the second refused.
// - A call reaches 2 GiB. With CONFIG_MODULE_SECTIONS modules carry .plt, .got and .got.plt, which
//   are grown before layout. An entry, one a target address, as is each slot of .got:
//
//     auipc t0, hi(slot)
//     ld    t1, lo(slot)(t0)        (lw on 32 bits)
//     jr    t1
#pragma once

#include <kmodld/layout/layout.hpp>
#include <kmodld/reloc/address_slots.hpp>
#include <kmodld/reloc/classes.hpp>
#include <kmodld/reloc/offset_index.hpp>
#include <kmodld/reloc/section.hpp>

namespace kmodld::arch {

template <int Bits>
struct riscv {
  static constexpr std::string_view name = Bits == 64 ? "riscv64"sv : "riscv32"sv;
  using format = elf::format<Bits, elf::byte_order::little>;
  using relocation = typename format::rela;
  static constexpr u16 machine = 243;
  static constexpr u64 page_size = 4096;
  static constexpr u64 got_slot_size = Bits / 8;
  static constexpr u64 plt_entry_size = 12;
  static constexpr bool ignores_got_symbol = false;

  template <class Base>
  struct linux_abi : Base {
    static constexpr ksymtab_format ksymtab = ksymtab_format::absolute;
    static constexpr std::string_view mcount_section = "__patchable_function_entries"sv;
  };

  static bool accepts(typename format::ehdr const& h) noexcept {
    return h.e_machine == machine && h.e_ident[4] == format::elf_class;
  }

  static u32 type_of(relocation const& r) noexcept { return format::r_type(r.r_info); }
  static u32 symbol_of(relocation const& r) noexcept { return format::r_sym(r.r_info); }
  static u64 addend_of(relocation const& r) noexcept { return static_cast<u64>(i64{r.r_addend}); }

  /// AUIPC reaches 2 GiB either way.
  static constexpr reach_window reach(reach_window w) noexcept {
    if constexpr (Bits == 32)
      return {{0}, {0xffffffff}};
    constexpr u64 distance = 0x7ff00000; // a megabyte is left for the module's own size
    u64 first = w.last.value > distance ? w.last.value - distance : 0;
    u64 last = w.first.value < ~u64{0} - distance ? w.first.value + distance : ~u64{0};
    return {{first}, {last}};
  }

  enum : u32 {
    r_32 = 1,
    r_64 = 2,
    jal = 17,
    call = 18,
    call_plt = 19,
    got_hi20 = 20,
    pcrel_hi20 = 23,
    pcrel_lo12_i = 24,
    pcrel_lo12_s = 25,
    hi20 = 26,
    add8 = 33,
    add32 = 35,
    sub8 = 37,
    sub32 = 39,
    got32_pcrel = 41,
    align = 43,
    sub6 = 52,
    set6 = 53,
    set8 = 54,
    plt32 = 59,
    set_uleb128 = 60,
    sub_uleb128 = 61,
  };

private:
  using f = reloc::formula;
  using c = reloc::check;
  static constexpr u8 linux = reloc::by_linux;
  static constexpr u8 jump = reloc::by_linux | reloc::branch;
  // On 32 bits every value fits a word and every distance an AUIPC.
  static constexpr c zero32 = Bits == 64 ? c::zero : c::none,
                     sign32 = Bits == 64 ? c::sign : c::none;
  static constexpr f word_64 = Bits == 64 ? f::s_a : f::special; ///< an address is unsigned
  // clang-format off
  static constexpr reloc::field data64{8}, data32{4}, data16{2}, data8{1};
  static constexpr reloc::field b_type{4, 4, {{12, 1, 31}, {5, 6, 25}, {1, 4, 8}, {11, 1, 7}}};
  static constexpr reloc::field j_type{4, 4, {{20, 1, 31}, {1, 10, 21}, {11, 1, 20}, {12, 8, 12}}};
  static constexpr reloc::field cb_type{2, 5, {{8, 1, 12}, {3, 2, 10}, {6, 2, 5}, {1, 2, 3}, {5, 1, 2}}};
  static constexpr reloc::field cj_type{2, 8, {{11, 1, 12}, {4, 1, 11}, {8, 2, 9}, {10, 1, 8}, {6, 1, 7}, {7, 1, 6}, {1, 3, 3}, {5, 1, 2}}};
  static constexpr reloc::field i_type{4, 1, {{0, 12, 20}}}, s_type{4, 2, {{5, 7, 25}, {0, 5, 7}}};
  static constexpr reloc::field u_type{4, 1, {{12, 20, 12}}};

public:
  static constexpr reloc::rule rules[] = {
      {0,  "R_RISCV_NONE",              f::none,    {},      c::none, linux},
      {1,  "R_RISCV_32",                f::s_a,     data32,  zero32,  linux},
      {2,  "R_RISCV_64",                word_64,    data64,  c::none, linux},
      {3,  "R_RISCV_RELATIVE",          f::refused, {},      c::none, linux},
      {4,  "R_RISCV_COPY",              f::refused, {},      c::none, linux},
      {5,  "R_RISCV_JUMP_SLOT",         f::refused, {},      c::none, linux},
      {6,  "R_RISCV_TLS_DTPMOD32",      f::refused, {},      c::none, linux},
      {7,  "R_RISCV_TLS_DTPMOD64",      f::refused, {},      c::none, linux},
      {8,  "R_RISCV_TLS_DTPREL32",      f::refused, {},      c::none, linux},
      {9,  "R_RISCV_TLS_DTPREL64",      f::refused, {},      c::none, linux},
      {10, "R_RISCV_TLS_TPREL32",       f::refused, {},      c::none, linux},
      {11, "R_RISCV_TLS_TPREL64",       f::refused, {},      c::none, linux},
      {12, "R_RISCV_TLSDESC",           f::refused, {},      c::none, linux},
      {16, "R_RISCV_BRANCH",            f::s_a_p,   b_type,  c::sign, jump,  1},
      {17, "R_RISCV_JAL",               f::l_a_p,   j_type,  c::sign, jump,  1},
      {18, "R_RISCV_CALL",              f::special, data64,  c::sign, jump},
      {19, "R_RISCV_CALL_PLT",          f::special, data64,  c::sign, jump},
      {20, "R_RISCV_GOT_HI20",          f::special, u_type,  c::sign, linux},
      {21, "R_RISCV_TLS_GOT_HI20",      f::refused, {},      c::none, linux},
      {22, "R_RISCV_TLS_GD_HI20",       f::refused, {},      c::none, linux},
      {23, "R_RISCV_PCREL_HI20",        f::special, u_type,  c::sign, linux},
      {24, "R_RISCV_PCREL_LO12_I",      f::special, i_type,  c::none, linux},
      {25, "R_RISCV_PCREL_LO12_S",      f::special, s_type,  c::none, linux},
      {26, "R_RISCV_HI20",              f::special, u_type,  c::sign, linux},
      {27, "R_RISCV_LO12_I",            f::s_a,     i_type,  c::none, linux},
      {28, "R_RISCV_LO12_S",            f::s_a,     s_type,  c::none, linux},
      {29, "R_RISCV_TPREL_HI20",        f::refused, {},      c::none, linux},
      {30, "R_RISCV_TPREL_LO12_I",      f::refused, {},      c::none, linux},
      {31, "R_RISCV_TPREL_LO12_S",      f::refused, {},      c::none, linux},
      {32, "R_RISCV_TPREL_ADD",         f::refused, {},      c::none, linux},
      {33, "R_RISCV_ADD8",              f::special, data8,   c::none, linux},
      {34, "R_RISCV_ADD16",             f::special, data16,  c::none, linux},
      {35, "R_RISCV_ADD32",             f::special, data32,  c::none, linux},
      {36, "R_RISCV_ADD64",             f::special, data64,  c::none, linux},
      {37, "R_RISCV_SUB8",              f::special, data8,   c::none, linux},
      {38, "R_RISCV_SUB16",             f::special, data16,  c::none, linux},
      {39, "R_RISCV_SUB32",             f::special, data32,  c::none, linux},
      {40, "R_RISCV_SUB64",             f::special, data64,  c::none, linux},
      {41, "R_RISCV_GOT32_PCREL",       f::special, data32,  c::sign, 0},
      {43, "R_RISCV_ALIGN",             f::refused, {},      c::none, linux},
      {44, "R_RISCV_RVC_BRANCH",        f::s_a_p,   cb_type, c::sign, jump,  1},
      {45, "R_RISCV_RVC_JUMP",          f::s_a_p,   cj_type, c::sign, jump,  1},
      {51, "R_RISCV_RELAX",             f::none,    {},      c::none, linux},
      {52, "R_RISCV_SUB6",              f::special, data8,   c::none, linux},
      {53, "R_RISCV_SET6",              f::special, data8,   c::none, linux},
      {54, "R_RISCV_SET8",              f::special, data8,   c::none, linux},
      {55, "R_RISCV_SET16",             f::special, data16,  c::none, linux},
      {56, "R_RISCV_SET32",             f::special, data32,  c::none, linux},
      {57, "R_RISCV_32_PCREL",          f::s_a_p,   data32,  sign32,  linux},
      {58, "R_RISCV_IRELATIVE",         f::refused, {},      c::none, linux},
      {59, "R_RISCV_PLT32",             f::special, data32,  c::sign, jump},
      {60, "R_RISCV_SET_ULEB128",       f::special, data8,   c::none, linux},
      {61, "R_RISCV_SUB_ULEB128",       f::special, data8,   c::none, linux},
      {62, "R_RISCV_TLSDESC_HI20",      f::refused, {},      c::none, linux},
      {63, "R_RISCV_TLSDESC_LOAD_LO12", f::refused, {},      c::none, linux},
      {64, "R_RISCV_TLSDESC_ADD_LO12",  f::refused, {},      c::none, linux},
      {65, "R_RISCV_TLSDESC_CALL",      f::refused, {},      c::none, linux},
  };
  // clang-format on

  /// AUIPC, the lower bits, calls; a difference of two symbols.
  static constexpr u32 turns[][3] = {{pcrel_hi20, pcrel_lo12_i, call_plt}, {add32, sub32}};

  static constexpr errc unknown_type = errc::reloc_unknown_type;
  static constexpr errc overflow_of(u32 type) noexcept {
    return type == r_32 ? errc::reloc_value_range : errc::reloc_overflow;
  }
  static constexpr errc refusal(u32 type) noexcept {
    if (type == align)
      return errc::reloc_align;
    return type <= 5 || type == 58 ? errc::reloc_dynamic : errc::reloc_thread_local;
  }

  /// Whether AUIPC and 12 signed bits make this distance, or LUI this value.
  static constexpr bool reaches(u64 distance) noexcept {
    return Bits == 32 || distance + 0x80000800 < u64{1} << 32;
  }
  /// The upper 20 bits in place, rounded for the lower 12.
  static constexpr u32 hi(u64 v) noexcept { return (static_cast<u32>(v) + 0x800) & 0xfffff000; }

  static void write_plt_entry(std::byte* at, address entry, address slot) noexcept {
    u64 const distance = slot - entry;
    constexpr u32 load = Bits == 64 ? 0x3003 : 0x2003;
    put(at, 0x00000297 | hi(distance)); // auipc t0, hi
    put(at + 4,
        load | static_cast<u32>(distance & 0xfff) << 20 | 5 << 15 | 6 << 7); // ld t1, lo(t0)
    put(at + 8, 0x00000067 | 6 << 15);                                       // jr t1
  }

  /// Whether a type asks for a GOT slot of S + A.
  static constexpr bool takes_slot(u32 type) noexcept {
    return type == got_hi20 || type == got32_pcrel;
  }

  /// reloc/branch_islands.hpp. As a PLT entry, but with the target behind it:
  ///
  ///   auipc t0, 0
  ///   ld    t1, 16(t0)        (32 bits: lw t1, 12(t0))
  ///   jr    t1
  ///   nop                     (64 bits)
  ///   .quad target
  static constexpr u64 far_stub_size = Bits == 64 ? 24 : 16;
  static constexpr bool is_far_call(u32 type) noexcept {
    return type == jal || type == call || type == call_plt || type == plt32;
  }
  static constexpr u64 call_addend(u32) noexcept { return 0; }
  template <class State>
  static bool write_far_stub(std::byte* stub, address at, u64 target, u32, State const&) noexcept {
    constexpr u64 word_at = far_stub_size - got_slot_size;
    write_plt_entry(stub, at, at + word_at);
    if constexpr (word_at == 16)
      put(stub + 12, 0x00000013); // nop
    format::word::store(stub + word_at, static_cast<typename format::word_type>(target));
    return true;
  }

  template <class State>
  [[gnu::always_inline]] static errc special(u32 type, reloc::operands const& o,
                                             std::span<std::byte> section, u64 offset, State& state,
                                             u64& shown) noexcept {
    std::byte* const place = section.data() + offset;
    u64 v = o.s + o.a;
    shown = v;
    switch (type) {
    case r_64: elf::field<u64, format::order>::store(place, static_cast<u32>(v)); return errc::ok;
    case call:
    case call_plt: {
      errc const code = state.near(type, v, reaches(distance(v, o.p)));
      if (code != errc::ok || !reaches(distance(v, o.p)))
        return code == errc::ok ? errc::reloc_pc_reach : code;
      v -= o.p;
      encode<u_type>(place, hi(v));
      encode<i_type>(place + 4, v);
      return errc::ok;
    }
    case plt32: {
      auto const fits = [&] { return reloc::fits(distance(v, o.p), sign32, 32); };
      errc const code = state.near(type, v, fits());
      if (code != errc::ok || !fits())
        return code == errc::ok ? errc::reloc_pc_reach : code;
      put(place, static_cast<u32>(v - o.p));
      return errc::ok;
    }
    case got32_pcrel:
      if (errc code = state.got_entry(v); code != errc::ok)
        return code;
      // The addend belongs to the slot's address here, but objects have 0.
      if (!reloc::fits(distance(v, o.p), sign32, 32))
        return errc::reloc_pc_reach;
      put(place, static_cast<u32>(v - o.p));
      return errc::ok;
    case got_hi20:
      if (errc code = state.got_entry(v); code != errc::ok)
        return code;
      [[fallthrough]];
    case pcrel_hi20:
      v = distance(v, o.p);
      state.high_part(offset, v);
      [[fallthrough]];
    case hi20:
      if (!reaches(reloc::address_wrapped<format>(v)))
        return errc::reloc_pc_reach;
      encode<u_type>(place, hi(v));
      return errc::ok;
    case pcrel_lo12_i:
    case pcrel_lo12_s:
      if (errc code = state.low_part(o.s, v); code != errc::ok)
        return code;
      type == pcrel_lo12_i ? encode<i_type>(place, v) : encode<s_type>(place, v);
      return errc::ok;
    case set_uleb128:
    case sub_uleb128: state.deferred = true; return errc::ok;
    default:
      if (state.accumulates) {
        state.deferred = true;
        return errc::ok;
      }
      return on_place(type, place, [=](u64 old) { return combined(type, old, v); });
    }
  }

  /// ADD, SUB and SET of all widths.
  static constexpr bool is_arithmetic(u32 type) noexcept {
    return (type >= add8 && type < sub8 + 4) || (type >= sub6 && type < set8 + 3) ||
           is_uleb128(type);
  }
  static constexpr bool is_uleb128(u32 type) noexcept {
    return type == set_uleb128 || type == sub_uleb128;
  }
  static constexpr unsigned bits_of(u32 type) noexcept {
    if (type < sub8 + 4)
      return 8u << ((type - add8) & 3);
    return is_uleb128(type) ? 64 : type < set8 ? 6 : 8u << (type - set8);
  }
  /// What one of them makes of a number.
  static constexpr u64 combined(u32 type, u64 old, u64 v) noexcept {
    unsigned const bits = bits_of(type);
    u64 const mask = bits == 64 ? ~u64{0} : (u64{1} << bits) - 1;
    bool const subtract = (type >= sub8 && type < sub8 + 4) || type == sub6 || type == sub_uleb128;
    u64 const result = type < sub8 ? old + v : subtract ? old - v : v;
    return (old & ~mask) | (result & mask);
  }

  /// Pairs, GOT and PLT of one module. For the relocation core by itself `{}` will do, unless
  /// relocations are out of order (see index.words) or ask for a GOT.
  class state {
    using slots = reloc::address_slots<format>;

  public:
    address got;                                   ///< .got; 0 without
    std::span<typename format::sym const> symbols; ///< of the object
    /// Linux since 6.7: see the head of this file.
    bool accumulates = false;
    bool deferred = false;                 ///< this section has something for end()
    reloc::offset_index<relocation> index; ///< its `words` are for sections out of order

    bool simple() const noexcept { return !error_values_; }
    bool has(reloc::formula, u32) const noexcept { return false; }
    u64 compute(reloc::formula, reloc::operands const&) const noexcept { return 0; }

    /// Whether Linux would take a symbol's value for an error code.
    bool is_error(u64 s) const noexcept { return error_values_ && s >= first_error; }

    /// How many of index.words the pairs of a section take: none if it is in order.
    static u64 words_needed(std::span<relocation const> all) noexcept {
      bool low = false;
      for (relocation const& r : all)
        low = low || type_of(r) == pcrel_lo12_i || type_of(r) == pcrel_lo12_s;
      return reloc::offset_index<relocation>::words_needed(all, low, is_high, is_sum);
    }

    errc begin(section_relocations<relocation> const& in, symbol_values const& values,
               error&) noexcept {
      in_ = &in;
      values_ = &values;
      index.begin(in.relocations);
      highest_end_ = 0;
      deferred = false;
      return errc::ok;
    }

    /// Stores what was accumulated.
    errc end(error& e) noexcept {
      if (!deferred)
        return errc::ok;
      auto const takes_part = [this](relocation const& r) {
        return (accumulates ? is_sum(r) : is_uleb128(type_of(r))) &&
               !is_error(values_->values[symbol_of(r)]);
      };
      u64 sum = 0;
      errc const code = index.in_order(takes_part, [&](u32 i, bool last) {
        sum = combined(type_of(index[i]), sum, value_of(index[i]));
        return last ? store(i, std::exchange(sum, 0), e) : errc::ok;
      });
      return code == errc::no_memory ? fault(e, code, 0) : code;
    }

    /// A call that does not reach `target`: from now on to its PLT entry, if there is a PLT.
    errc near(u32 type, u64& target, bool in_reach) noexcept {
      if (in_reach || plt_.room == 0 || (type == call && !own_))
        return errc::ok;
      return plt_entry(target);
    }
    /// The same for JAL, which Linux does not serve.
    errc far(u32, reloc::operands const& o, u64& v) noexcept {
      u64 target = o.s + o.a;
      if (!own_ || plt_.room == 0)
        return errc::ok;
      errc const code = plt_entry(target);
      v = distance(target, o.p);
      return code;
    }
    /// Turns an address into that of its GOT slot.
    errc got_entry(u64& v) noexcept {
      bool fresh;
      u32 n;
      if (errc code = got_.find(v, seed_, n, fresh); code != errc::ok)
        return code;
      v = got_.slot(n).value;
      return errc::ok;
    }

    /// A HI20 was met. Kept is the one at the highest offset, of several there the first: that is
    /// the one which a search from the start would find.
    void high_part(u64 offset, u64 distance) noexcept {
      if (offset < highest_end_)
        return;
      highest_end_ = offset + 1;
      highest_distance_ = distance;
    }
    /// The distance whose low bits belong to the AUIPC at `label`.
    [[gnu::always_inline]] errc low_part(u64 label, u64& v) noexcept {
      u64 const offset = static_cast<typename format::word_type>(label - in_->place.value);
      if (offset + 1 != highest_end_ || highest_end_ == 0) [[unlikely]]
        return searched_low_part(label, offset, v);
      v = highest_distance_;
      return errc::ok;
    }

    /// f(value, address) for every slot of the GOT; f(target, address) for every PLT entry.
    template <class F>
    void for_each_got(F&& f) const noexcept {
      for (u32 i = 0; i < got_.used; ++i)
        f(got_.value(i), got_.slot(i));
    }
    template <class F>
    void for_each_stub(F&& f) const noexcept {
      for (u32 i = 0; i < plt_.used; ++i)
        f(plt_.value(i), plt_code_ + u64{i} * plt_entry_size);
    }

    void placed(section_table const& table, module const&) noexcept {
      auto const place = [&](slots& p, u32 section, u64 skipped) {
        p.host = p.room == 0 ? nullptr : table[section].host + skipped;
        p.target = table[section].target + skipped;
      };
      got = table[got_section_].target;
      place(got_, got_section_, 0);
      place(plt_, slots_section_, slots_offset_);
      plt_host_ = table[plt_section_].host;
      plt_code_ = table[plt_section_].target;
    }

    void fill(section_table const&, std::span<u64 const> values) noexcept {
      if (linux_)
        for (u64 v : values)
          error_values_ = error_values_ || v >= first_error;
    }

    /// module_frob_arch_sections.
    template <class Context>
    errc frob(Context const& context) noexcept {
      using abi = typename Context::abi;
      linux_ = abi::module_struct;
      accumulates = linux_ && abi::scheme == layout_scheme::seven_kinds;
      seed_ = context.env.hash_seed();
      plt_section_ = context.table.find_any(".plt"sv);
      got_section_ = context.table.find_any(".got"sv);
      slots_section_ = context.table.find_any(".got.plt"sv);
      own_ = plt_section_ == 0 || got_section_ == 0 || slots_section_ == 0;
      if (own_ && linux_ && (plt_section_ | got_section_ | slots_section_) != 0)
        return context.missing(plt_section_ == 0   ? "PLT"sv
                               : got_section_ == 0 ? "GOT"sv
                                                   : "GOT.PLT"sv);
      wide_ = abi::wide_relocations;
      stubs_ = !own_ || abi::far_calls;

      u64 most_words = 0, most_users = 0;
      static_cast<void>(context.for_each_relocations([&](u32 i, auto entries) {
        section_entry const& target = context.table[context.image.section(i).sh_info];
        if (target.allocated()) {
          u64 const n = words_needed(entries);
          most_words = n > most_words ? n : most_words;
        }
        u64 users = 0;
        for (relocation const& r : entries)
          users += user_of(r, target) != 0;
        most_users = users > most_users ? users : most_users;
        return errc::ok;
      }));
      if (most_words != 0) {
        index.words = context.template scratch<u32>(most_words);
        if (index.words.empty())
          return context.no_memory(most_words * sizeof(u32));
      }
      if (most_users != 0) {
        auto seen = context.template scratch<u32>(reloc::hash_slots_for(most_users));
        if (seen.empty())
          return context.no_memory(reloc::hash_slots_for(most_users) * sizeof(u32));
        static_cast<void>(context.for_each_relocations([&](u32 i, auto entries) {
          count(entries, context.table[context.image.section(i).sh_info], i, context, seen);
          return errc::ok;
        }));
      }
      for (slots* p : {&got_, &plt_}) {
        if (p->room == 0)
          continue;
        p->index = context.template scratch<u32>(reloc::hash_slots_for(p->room));
        if (p->index.empty())
          return context.no_memory(reloc::hash_slots_for(p->room) * sizeof(u32));
      }
      make_room(context.table);
      return errc::ok;
    }

  private:
    static constexpr u64 first_error = static_cast<typename format::word_type>(-4095);
    static constexpr auto is_high = [](relocation const& r) {
      return type_of(r) == pcrel_hi20 || type_of(r) == got_hi20;
    };
    static constexpr auto is_sum = [](relocation const& r) { return is_arithmetic(type_of(r)); };

    /// low_part() where its HI20 is not the last one.
    [[gnu::noinline]] errc searched_low_part(u64 label, u64 offset, u64& v) noexcept {
      u32 i;
      if (errc code = index.find(offset, is_high, i); code != errc::ok)
        return code;
      if (i == index.none || symbol_of(index[i]) >= values_->values.size())
        return errc::reloc_no_hi20;
      v = value_of(index[i]);
      if (type_of(index[i]) == got_hi20)
        if (errc code = got_entry(v); code != errc::ok)
          return code;
      v -= label;
      return errc::ok;
    }

    static errc fault(error& e, errc code, u32 i, u64 n0 = 0, u64 n1 = 0) noexcept {
      e.code = code;
      e.index = i;
      e.number[0] = n0;
      e.number[1] = n1;
      return code;
    }
    u64 value_of(relocation const& r) const noexcept {
      return values_->values[symbol_of(r)] + addend_of(r);
    }

    /// Puts a sum into the place of relocation i, the last one there. Bounds for types of fixed
    /// width were checked when it was met.
    errc store(u32 i, u64 sum, error& e) const noexcept {
      u32 const type = type_of(index[i]);
      u64 const offset = index[i].r_offset;
      if (is_uleb128(type))
        return store_uleb128(i, in_->bytes.subspan(static_cast<std::size_t>(offset)), sum, e);
      unsigned const bits = bits_of(type);
      if (bits < 64 && static_cast<i64>(sum) > static_cast<i64>((u64{1} << bits) - 1))
        return fault(e, errc::reloc_accumulated, i, bits, sum);
      return on_place(type, in_->bytes.data() + offset,
                      [=](u64 old) { return bits == 6 ? (old & 0xc0) | (sum & 0x3f) : sum; });
    }

    /// Linux writes as few bytes as the number takes; linkers keep the length that is there.
    errc store_uleb128(u32 i, std::span<std::byte> place, u64 sum, error& e) const noexcept {
      std::size_t length = 1;
      if (accumulates) {
        for (u64 rest = sum >> 7; rest != 0; rest >>= 7)
          ++length;
        if ((sum >> 63) != 0)
          return fault(e, errc::reloc_accumulated, i, 63, sum);
      } else {
        while (length <= place.size() && length < 10 &&
               (place[length - 1] & std::byte{0x80}) != std::byte{0})
          ++length;
      }
      if (length > place.size())
        return fault(e, errc::reloc_offset, i, index[i].r_offset, in_->bytes.size());
      if (length < 10 && (sum >> (7 * length)) != 0)
        return fault(e, errc::reloc_accumulated, i, 7 * length, sum);
      for (std::size_t k = 0; k < length; ++k, sum >>= 7)
        place[k] = static_cast<std::byte>((sum & 0x7f) | (k + 1 < length ? 0x80 : 0));
      return errc::ok;
    }

    errc plt_entry(u64& target) noexcept {
      bool fresh;
      u32 n;
      if (errc code = plt_.find(target, seed_, n, fresh); code != errc::ok)
        return code;
      address const entry = plt_code_ + u64{n} * plt_entry_size;
      if (fresh)
        write_plt_entry(plt_host_ + u64{n} * plt_entry_size, entry, plt_.slot(n));
      target = entry.value;
      return errc::ok;
    }

    /// Which slot a relocation may take: 1 GOT, 2 PLT, 0 none. Linux counts CALL_PLT and GOT_HI20
    /// in code.
    unsigned user_of(relocation const& r, section_entry const& target) const noexcept {
      bool const code = (target.flags & elf::shf_execinstr) != 0;
      switch (type_of(r)) {
      case got_hi20: return own_ ? wide_ && target.allocated() : code;
      case got32_pcrel: return wide_ && target.allocated();
      case call_plt: return stubs_ && code ? 2 : 0;
      case jal:
      case call:
      case plt32: return stubs_ && own_ && target.allocated() ? 2 : 0;
      default: return 0;
      }
    }

    /// Counts a section's slots: each symbol and addend once.
    template <class Context>
    void count(std::span<relocation const> all, section_entry const& target, u32 section,
               Context const& context, std::span<u32> seen) noexcept {
      u64 users = 0;
      for (relocation const& r : all)
        users += user_of(r, target) != 0;
      if (users == 0)
        return;
      seen = seen.first(static_cast<std::size_t>(reloc::hash_slots_for(users)));
      __builtin_memset(seen.data(), 0, seen.size_bytes());
      auto const symbols_of = context.symbols();
      for (u32 k = 0; k < all.size(); ++k) {
        relocation const& r = all[k];
        unsigned const user = user_of(r, target);
        u32 const symbol = symbol_of(r);
        if (user == 0 || symbol >= symbols_of.size() ||
            (user == 2 && own_ &&
             symbols_of[symbol].st_shndx == u32{context.image.section(section).sh_info}))
          continue;
        std::size_t i = static_cast<std::size_t>(
            reloc::mixed((u64{symbol} << 2 | user) ^ reloc::mixed(addend_of(r), seed_), ~seed_));
        auto same = [&](relocation const& o) {
          return symbol_of(o) == symbol && addend_of(o) == addend_of(r) &&
                 user_of(o, target) == user;
        };
        for (i &= seen.size() - 1; seen[i] != 0 && !same(all[seen[i] - 1]);)
          i = (i + 1) & (seen.size() - 1);
        if (seen[i] != 0)
          continue;
        seen[i] = k + 1;
        ++(user == 1 ? got_ : plt_).room;
      }
    }

    /// Sizes of .plt, .got and .got.plt; where the object has none, own ones if they are used.
    void make_room(section_table& table) noexcept {
      u64 const words = u64{got_.room} * got_slot_size, entries = plt_.room;
      if (!own_) {
        grow(table[plt_section_], (entries + 1) * plt_entry_size, elf::shf_execinstr);
        grow(table[got_section_], words + got_slot_size, 0);
        grow(table[slots_section_], (entries + 1) * got_slot_size, 0);
        return;
      }
      plt_section_ = got_section_ = slots_section_ = 0;
      slots_offset_ = words;
      if (got_.room != 0 || entries != 0)
        got_section_ = slots_section_ = table.add(".got"sv, words + entries * got_slot_size, 16, 0);
      if (entries != 0)
        plt_section_ = table.add(".plt"sv, entries * plt_entry_size, 16, elf::shf_execinstr);
    }
    static void grow(section_entry& s, u64 size, u64 flags) noexcept {
      s.type = elf::sht_nobits;
      s.flags = flags | elf::shf_alloc;
      s.align = 64;
      s.size = size;
    }

    section_relocations<relocation> const* in_ = nullptr;
    symbol_values const* values_ = nullptr;
    bool linux_ = false, own_ = false, wide_ = false, stubs_ = false, error_values_ = false;
    u32 got_section_ = 0, plt_section_ = 0, slots_section_ = 0;
    u64 slots_offset_ = 0, seed_ = 0;
    u64 highest_end_ = 0, highest_distance_ = 0; ///< see high_part(); 0: none yet
    slots got_, plt_;                            ///< .got; .got.plt
    std::byte* plt_host_ = nullptr;
    address plt_code_;
  };

  template <class Context>
  static errc frob(Context const& context, state& s) noexcept {
    return s.frob(context);
  }

private:
  static u64 distance(u64 to, u64 from) noexcept {
    return reloc::address_wrapped<format>(to - from);
  }
  static void put(std::byte* p, u32 v) noexcept { elf::field<u32, format::order>::store(p, v); }
  template <reloc::field F>
  static void encode(std::byte* p, u64 v) noexcept {
    put(p, static_cast<u32>(reloc::encode<F>(elf::field<u32, format::order>::load(p), v)));
  }
  template <class F>
  [[gnu::always_inline]] static errc on_place(u32 type, std::byte* place, F const& f) noexcept {
    auto change = [&]<std::size_t Bytes>() __attribute__((always_inline)) {
      using access = reloc::place_access<format, Bytes>;
      access::store(place, f(access::load(place)));
      return errc::ok;
    };
    switch (bits_of(type)) {
    case 16: return change.template operator()<2>();
    case 32: return change.template operator()<4>();
    case 64: return change.template operator()<8>();
    default: return change.template operator()<1>();
    }
  }
};

using riscv64 = riscv<64>;
using riscv32 = riscv<32>;

} // namespace kmodld::arch
