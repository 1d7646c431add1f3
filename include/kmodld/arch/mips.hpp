// SPDX-License-Identifier: MIT
// MIPS: System V psABI, MIPS RISC Processor Supplement, "Relocation" (o32: REL), and the 64-bit ELF
// Object File Specification (n64: RELA); both byte orders.
//
// What is odd here:
// - r_info of n64 is no number but five fields: a 32-bit symbol, then one byte each for a special
//   symbol and three types, the last first. Up to three operations can be composed at one place.
//   Linux looks at the first alone. The compositions that compilers write, to compute gp (GPREL16,
//   SUB, then HI16 or LO16) and for tables of jumps (GPREL32, 64), have type numbers beyond 255
//   here.
// - o32 keeps its addends in the instructions, so that LUI has only the upper half of one: HI16
//   waits for the next LO16 of the same symbol, which knows the lower half and its carry. Several
//   HI16 may wait for one LO16. Linux queues them; here LO16 goes over what stands between it and
//   the LO16 before, which needs no memory and looks at each relocation twice.
// - A jump (26) replaces the low 28 bits of the address after it and leads nowhere outside those
//   256 MiB. Linux compiles modules with -mlong-calls and builds no stubs. With far_calls:
//
//     lui   t9, hi16(target)            lui  t9, bits 63-48     dsll t9, t9, 16
//     ori   t9, t9, lo16(target)        ori  t9, t9, 47-32      ori  t9, t9, 15-0
//     jalr  zero, t9                    dsll t9, t9, 16         jalr zero, t9
//     nop                  (o32)        ori  t9, t9, 31-16      nop                 (n64)
//
//   jalr with zero is a jump that all revisions have; t9 holds what PIC callees expect.
// - The GOT is addressed by 16 bits from gp, which points 0x7ff0 bytes behind its beginning. n64
//   objects only; o32's -fpic code needs the symbol _gp_disp and is refused.
#pragma once

#include <kmodld/abi.hpp>
#include <kmodld/reloc/exact.hpp>
#include <kmodld/reloc/got_plt.hpp>

namespace kmodld::arch {

template <int Bits, elf::byte_order Order>
struct mips_family {
  static constexpr bool wide = Bits == 64;
  static constexpr bool little = Order == elf::byte_order::little;
  static constexpr std::string_view name =
      wide ? (little ? "mips64el"sv : "mips64"sv) : (little ? "mipsel"sv : "mips"sv);
  using format = elf::format<Bits, Order>;

  /// Elf64_Mips_Rela.
  struct split_rela {
    typename format::word r_offset;
    typename format::word32 r_sym;
    u8 r_ssym, r_type3, r_type2, r_type;
    elf::field<i64, Order> r_addend;
  };
  using relocation = std::conditional_t<wide, split_rela, typename format::rel>;

  static constexpr u16 machine = 8;
  static constexpr u64 page_size = 4096;
  static constexpr bool ignores_got_symbol = false;
  static constexpr u64 got_slot_size = Bits / 8;
  static constexpr u64 plt_entry_size = wide ? 32 : 16;
  static constexpr u64 gp_bias = 0x7ff0;
  static constexpr errc unknown_type = errc::reloc_unknown_type;

  template <class Base>
  struct linux_abi : Base {
    static constexpr ksymtab_format ksymtab = ksymtab_format::absolute;
    static constexpr extable_kind extable = extable_kind::absolute;
    static constexpr bool relative_jump_labels = false;
  };

  static bool accepts(typename format::ehdr const& h) noexcept {
    return h.e_machine == machine && h.e_ident[4] == format::elf_class &&
           h.e_ident[5] == format::elf_data;
  }

  enum : u32 { r_26 = 4, hi16 = 5, lo16 = 6, gprel16 = 7, gprel32 = 12, r_64 = 18, sub = 24 };
  /// Compositions of n64.
  enum : u32 { neg_gprel_hi16 = 256, neg_gprel_lo16 = 257, gprel64 = 258 };

  static u32 type_of(relocation const& r) noexcept {
    if constexpr (wide) {
      if (r.r_type2 == 0) [[likely]]
        return r.r_type;
      if (r.r_type == gprel16 && r.r_type2 == sub && (r.r_type3 == hi16 || r.r_type3 == lo16))
        return r.r_type3 == hi16 ? neg_gprel_hi16 : neg_gprel_lo16;
      return r.r_type == gprel32 && r.r_type2 == r_64 ? u32{gprel64} : u32{r.r_type};
    } else {
      return format::r_type(r.r_info);
    }
  }
  static u32 symbol_of(relocation const& r) noexcept {
    if constexpr (wide)
      return r.r_sym;
    else
      return format::r_sym(r.r_info);
  }
  static u64 addend_of(relocation const& r) noexcept {
    if constexpr (wide)
      return static_cast<u64>(i64{r.r_addend});
    else
      return 0;
  }

  /// Data and calls of modules go by full addresses; only jumps within the module are bound.
  static constexpr reach_window reach(reach_window) noexcept { return {}; }

private:
  using f = reloc::formula;
  using c = reloc::check;
  static constexpr u8 linux = reloc::by_linux;
  static constexpr u8 call = reloc::by_linux | reloc::branch;
  static constexpr f word_64 = wide ? f::s_a : f::special; ///< o32: listed to be refused
  // clang-format off
  static constexpr reloc::field data64{8}, data32{4};
  static constexpr reloc::field imm16{4, 1, {{0, 16, 0}}}; ///< the low half of a word, of R_MIPS_16 too
  static constexpr reloc::field upper{4, 1, {{16, 16, 0}}}; ///< without rounding
  static constexpr reloc::field imm26{4, 1, {{2, 26, 0}}};
  static constexpr reloc::field pc16{4, 1, {{2, 16, 0}}}, pc21{4, 1, {{2, 21, 0}}}, pc19{4, 1, {{2, 19, 0}}};

public:
  static constexpr reloc::rule rules[] = {
      {0,   "R_MIPS_NONE",            f::none,    {},     c::none, linux},
      {1,   "R_MIPS_16",              f::s_a,     imm16,  c::sign, 0},
      {2,   "R_MIPS_32",              f::s_a,     data32, c::none, linux},
      {4,   "R_MIPS_26",              f::special, imm26,  c::none, call},
      {5,   "R_MIPS_HI16",            f::special, upper,  c::none, linux},
      {6,   "R_MIPS_LO16",            f::special, imm16,  c::none, linux},
      {7,   "R_MIPS_GPREL16",         f::special, imm16,  c::sign, 0},
      {9,   "R_MIPS_GOT16",           f::special, imm16,  c::sign, 0},
      {10,  "R_MIPS_PC16",            f::s_a_p,   pc16,   c::sign, call, 2},
      {11,  "R_MIPS_CALL16",          f::special, imm16,  c::sign, 0},
      {12,  "R_MIPS_GPREL32",         f::special, data32, c::sign, 0},
      {18,  "R_MIPS_64",              word_64,    data64, c::none, linux},
      {19,  "R_MIPS_GOT_DISP",        f::special, imm16,  c::sign, 0},
      {20,  "R_MIPS_GOT_PAGE",        f::special, imm16,  c::sign, 0},
      {21,  "R_MIPS_GOT_OFST",        f::special, imm16,  c::sign, 0},
      {28,  "R_MIPS_HIGHER",          f::special, imm16,  c::none, linux},
      {29,  "R_MIPS_HIGHEST",         f::special, imm16,  c::none, linux},
      {37,  "R_MIPS_JALR",            f::none,    {},     c::none, 0},
      {38,  "R_MIPS_TLS_DTPMOD32",    f::tls,     {},     c::none, 0},
      {39,  "R_MIPS_TLS_DTPREL32",    f::tls,     {},     c::none, 0},
      {40,  "R_MIPS_TLS_DTPMOD64",    f::tls,     {},     c::none, 0},
      {41,  "R_MIPS_TLS_DTPREL64",    f::tls,     {},     c::none, 0},
      {42,  "R_MIPS_TLS_GD",          f::tls,     {},     c::none, 0},
      {43,  "R_MIPS_TLS_LDM",         f::tls,     {},     c::none, 0},
      {44,  "R_MIPS_TLS_DTPREL_HI16", f::tls,     {},     c::none, 0},
      {45,  "R_MIPS_TLS_DTPREL_LO16", f::tls,     {},     c::none, 0},
      {46,  "R_MIPS_TLS_GOTTPREL",    f::tls,     {},     c::none, 0},
      {47,  "R_MIPS_TLS_TPREL32",     f::tls,     {},     c::none, 0},
      {48,  "R_MIPS_TLS_TPREL64",     f::tls,     {},     c::none, 0},
      {49,  "R_MIPS_TLS_TPREL_HI16",  f::tls,     {},     c::none, 0},
      {50,  "R_MIPS_TLS_TPREL_LO16",  f::tls,     {},     c::none, 0},
      {60,  "R_MIPS_PC21_S2",         f::s_a_p,   pc21,   c::sign, call, 2},
      {61,  "R_MIPS_PC26_S2",         f::l_a_p,   imm26,  c::sign, call, 2},
      {63,  "R_MIPS_PC19_S2",         f::s_a_p,   pc19,   c::sign, 0, 2},
      {248, "R_MIPS_PC32",            f::s_a_p,   data32, c::sign, 0},
      {256, "R_MIPS_GPREL16/SUB/HI16", f::special, imm16, c::none, 0},
      {257, "R_MIPS_GPREL16/SUB/LO16", f::special, imm16, c::none, 0},
      {258, "R_MIPS_GPREL32/64",       f::special, data64, c::none, 0},
  };
  // clang-format on

  static constexpr u8 needs_of(u32 type) noexcept {
    switch (type) {
    case r_26:
    case 61: return reloc::needs_plt_entry;
    case gprel16:
    case gprel32:
    case gprel64:
    case neg_gprel_hi16:
    case neg_gprel_lo16: return wide ? reloc::needs_got : 0;
    case 9:
    case 11:
    case 19:
    case 20: return wide ? reloc::needs_got | reloc::needs_got_slot : 0;
    default: return 0;
    }
  }

  static void write_got_slot(std::byte* slot, u64 s) noexcept {
    format::word::store(slot, static_cast<typename format::word_type>(s));
  }
  static void write_plt_entry(std::byte* at, address, u64 target) noexcept {
    auto put = [&at](u64 insn) {
      format::word32::store(at, static_cast<u32>(insn));
      at += 4;
    };
    constexpr u32 lui = 0x3c190000, ori = 0x37390000, dsll_16 = 0x0019cc38;
    if constexpr (wide) {
      put(lui | target >> 48);
      put(ori | (target >> 32 & 0xffff));
      put(dsll_16);
      put(ori | (target >> 16 & 0xffff));
      put(dsll_16);
    } else {
      put(lui | (target >> 16 & 0xffff));
    }
    put(ori | (target & 0xffff));
    put(0x03200009); // jalr zero, t9
    put(0);
  }

  /// reloc/branch_islands.hpp.
  static constexpr u64 far_stub_size = plt_entry_size;
  static constexpr bool is_far_call(u32 type) noexcept { return type == r_26 || type == 61; }
  static constexpr u64 call_addend(u32 type) noexcept { return type == 61 ? ~u64{3} : 0; }
  template <class State>
  static bool write_far_stub(std::byte* stub, address at, u64 target, u32, State const&) noexcept {
    write_plt_entry(stub, at, target);
    return true;
  }

  /// HI16 that wait for their LO16, and GOT and stubs of objects that are no modules.
  struct state : reloc::got_plt<mips_family> {
    using base = reloc::got_plt<mips_family>;

    bool linux = false; ///< a module of Linux: it takes some values of symbols for error codes

    bool simple() const noexcept { return base::simple() && !error_values_; }
    bool is_error(u64 s) const noexcept {
      return error_values_ && static_cast<typename format::word_type>(s) >= first_error;
    }
    void fill(section_table const& table, std::span<u64 const> values) noexcept {
      base::fill(table, values);
      if (linux)
        for (u64 v : values)
          error_values_ =
              error_values_ || static_cast<typename format::word_type>(v) >= first_error;
    }

    errc begin(section_relocations<relocation> const& in, symbol_values const& all,
               error&) noexcept {
      relocations_ = in.relocations;
      bytes_ = in.bytes;
      values_ = all.values;
      at_ = 0;
      return errc::ok;
    }

    /// A HI16 that nobody completed is half an address.
    errc end(error& e) noexcept {
      if constexpr (!wide)
        for (; at_ < relocations_.size(); ++at_)
          if (type_of(relocations_[at_]) == hi16)
            return reloc::detail::fault(e, errc::reloc_unpaired, static_cast<u32>(at_), hi16);
      return errc::ok;
    }

    /// The next LO16 of the section has come: completes the HI16 since the one before.
    errc complete(u64 s, u64 low) noexcept {
      for (; at_ < relocations_.size(); ++at_) {
        relocation const& r = relocations_[at_];
        u32 const type = type_of(r);
        if (type == lo16) {
          ++at_;
          return errc::ok;
        }
        if (type != hi16)
          continue;
        // Its bounds were checked when its turn was.
        if (values_[symbol_of(r)] != s)
          return errc::reloc_unpaired;
        std::byte* const place = bytes_.data() + u64{r.r_offset};
        u64 const old = word(place);
        put(place, imm16.encode(old, high((old << 16) + low + s)));
      }
      return errc::ok;
    }

    u64 stub(reloc::operands const& o) const noexcept {
      u64 v = 0;
      base::far(r_26, o, v);
      return v + o.p;
    }
    u64 gp() const noexcept { return this->got.value + gp_bias; }
    bool has_gp() const noexcept { return this->got.value != 0; }

  private:
    static constexpr auto first_error = static_cast<typename format::word_type>(-4095);

    std::span<relocation const> relocations_;
    std::span<std::byte> bytes_;
    std::span<u64 const> values_;
    std::size_t at_ = 0; ///< behind the last LO16
    bool error_values_ = false;
  };

  /// Linux makes room for nothing.
  template <class Context>
  static errc frob(Context const& context, state& s) noexcept {
    using abi = typename Context::abi;
    s.linux = abi::module_struct;
    constexpr u8 wanted = (abi::wide_relocations ? reloc::needs_got | reloc::needs_got_slot : 0) |
                          (abi::far_calls ? reloc::needs_plt_entry : 0);
    auto scratch = [&](u64 n) { return context.template scratch<u32>(n); };
    if (wanted != 0 &&
        s.count(context.image, context.table, context.symbols(), wanted, scratch) != errc::ok)
      return context.no_memory(context.symbols().size() * sizeof(u32));
    return errc::ok;
  }

  /// What is no plain sum: rounded halves, jumps and the GOT.
  template <class State>
  [[gnu::always_inline]] static errc special(u32 type, reloc::operands const& o,
                                             std::span<std::byte> section, u64 offset, State& state,
                                             u64& shown) noexcept {
    std::byte* const place = section.data() + offset;
    u64 const v = o.s + o.a;
    shown = v;
    switch (type) {
    case r_26: return jump(o, place, state, shown);
    case hi16:
      if constexpr (wide)
        set(place, high(v));
      return errc::ok;
    case lo16:
      if constexpr (!wide)
        if (errc code = state.complete(o.s, o.a); code != errc::ok)
          return code;
      set(place, v);
      return errc::ok;
    case r_64: return unknown_type;
    case 28: set(place, (v + 0x80008000) >> 32); return errc::ok;
    case 29: set(place, (v + 0x800080008000) >> 48); return errc::ok;
    default: return by_gp(type, o, place, state, shown);
    }
  }

private:
  static u32 word(std::byte const* p) noexcept { return format::word32::load(p); }
  static void put(std::byte* p, u64 v) noexcept { format::word32::store(p, static_cast<u32>(v)); }
  static void set(std::byte* p, u64 half) noexcept { put(p, imm16.encode(word(p), half)); }
  /// The upper half to which a sign-extended lower half is added.
  static constexpr u64 high(u64 v) noexcept { return (v + 0x8000) >> 16; }

  template <class State>
  static errc jump(reloc::operands const& o, std::byte* place, State& state, u64& v) noexcept {
    if (v % 4 != 0)
      return errc::reloc_misaligned;
    // Linux compares bits 28 to 31 only.
    auto reaches = [&] {
      return (static_cast<typename format::word_type>(v ^ (o.p + 4)) >> 28) == 0;
    };
    if (!reaches() && state.has_plt(o.symbol))
      v = state.stub(o);
    if (!reaches())
      return errc::reloc_overflow;
    put(place, imm26.encode(word(place), v));
    return errc::ok;
  }

  template <class State>
  static errc by_gp(u32 type, reloc::operands const& o, std::byte* place, State& state,
                    u64& v) noexcept {
    bool const slot = (needs_of(type) & reloc::needs_got_slot) != 0;
    if (type == 21) {
      // The slot that GOT_PAGE names has the symbol's address itself, so only the addend is left.
      v = o.a;
    } else if (!wide || !state.has_gp() || (slot && !state.has(reloc::formula::g_a, o.symbol))) {
      return errc::reloc_no_slot;
    } else if (slot) {
      v = u64{state.got_slot[o.symbol] - 1} * got_slot_size - gp_bias + (type == 20 ? 0 : o.a);
    } else {
      v -= state.gp();
    }
    switch (type) {
    case neg_gprel_hi16: set(place, high(0 - v)); return errc::ok;
    case neg_gprel_lo16: set(place, 0 - v); return errc::ok;
    case gprel64:
      format::word::store(place, static_cast<typename format::word_type>(v));
      return errc::ok;
    case gprel32:
      put(place, v);
      return reloc::fits(v, c::sign, 32) ? errc::ok : errc::reloc_overflow;
    default: set(place, v); return reloc::fits(v, c::sign, 16) ? errc::ok : errc::reloc_overflow;
    }
  }
};

using mips64el = mips_family<64, elf::byte_order::little>;
using mips64 = mips_family<64, elf::byte_order::big>;
using mipsel = mips_family<32, elf::byte_order::little>;
using mips = mips_family<32, elf::byte_order::big>;

} // namespace kmodld::arch
