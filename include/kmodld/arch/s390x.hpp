// SPDX-License-Identifier: MIT
// s390x: z/Architecture ELF psABI, "Relocation", table 1.23; big-endian.
//
// What is odd here: instructions are two, four or six bytes long and always even, so a distance is
// stored halved ("DBL") and 32 bits reach 4 GiB. Modules are compiled as position-independent code
// and lie anywhere: data of the kernel is read through a GOT, every call may take a PLT entry.
// Linux makes neither as a section. Both stand at the start of core, before the first section: the
// GOT with a slot a symbol, then the PLT, each in the order of first use in the file:
//
//   0d 10                basr %r1,0
//   e3 10 10 0c 00 04    lg   %r1,12(%r1)
//   07 f1                br   %r1          (c0 f4 + halved distance to the thunk with expolines)
//   4 bytes of nothing
//   8 bytes              target
//
// The entries are always written, but calls use them only where the target is out of reach. With
// expolines one more entry ends the PLT: a thunk that branches without being predicted.
#pragma once

#include <kmodld/abi.hpp>
#include <kmodld/reloc/got_plt.hpp>

namespace kmodld::arch {

struct s390x {
  static constexpr std::string_view name = "s390x"sv;
  using format = elf::elf64_be;
  using relocation = format::rela;
  static constexpr u16 machine = 22;
  static constexpr u64 page_size = 4096;
  static constexpr u64 got_slot_size = 8;
  static constexpr u64 plt_entry_size = 22;
  static constexpr bool ignores_got_symbol = false;
  /// GOT and PLT lead anywhere, and almost every module has both.
  static constexpr bool exports_anywhere = true;
  static constexpr bool hot_slots = true;
  static constexpr errc unknown_type = errc::reloc_s390_unknown;
  static constexpr errc bad_value = errc::reloc_s390_value;

  /// Export tables of pointers. `expoline`: the kernel runs with spectre-v2 branches.
  template <class Base>
  struct linux_abi : Base {
    static constexpr ksymtab_format ksymtab = ksymtab_format::absolute;
    static constexpr bool expoline = false;
  };

  static constexpr errc overflow_of(u32) noexcept { return bad_value; }

  static bool accepts(format::ehdr const& h) noexcept { return h.e_machine == machine; }

  static u32 type_of(relocation const& r) noexcept { return format::r_type(r.r_info); }
  static u32 symbol_of(relocation const& r) noexcept { return format::r_sym(r.r_info); }
  static u64 addend_of(relocation const& r) noexcept { return static_cast<u64>(i64{r.r_addend}); }

  /// The parts of a module refer to each other with PC32 (exception and bug tables): 2 GiB.
  static constexpr reach_window reach(reach_window w) noexcept {
    constexpr u64 distance = 0x7ff00000;
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
  static constexpr reloc::field data8{1}, data16{2}, data32{4}, data64{8};
  static constexpr reloc::field disp12{2, 1, {{0, 12, 0}}};              // D of RX, RS, S
  static constexpr reloc::field disp20{4, 2, {{0, 12, 16}, {12, 8, 8}}}; // DL and DH of RXY, RSY
  static constexpr reloc::field dbl12{2, 1, {{1, 12, 0}}}, dbl16{2, 1, {{1, 16, 0}}},
                                dbl32{4, 1, {{1, 32, 0}}};

public:
  // 9-12 (COPY, GLOB_DAT, JMP_SLOT, RELATIVE) and 61 (IRELATIVE) are for dynamic linkers only.
  static constexpr reloc::rule rules[] = {
      {0,  "R_390_NONE",        f::none,      {},     c::none, linux},
      {1,  "R_390_8",           f::s_a,       data8,  c::zero, linux},
      {2,  "R_390_12",          f::s_a,       disp12, c::zero, linux},
      {3,  "R_390_16",          f::s_a,       data16, c::zero, linux},
      {4,  "R_390_32",          f::s_a,       data32, c::zero, linux},
      {5,  "R_390_PC32",        f::s_a_p,     data32, c::sign, linux},
      {6,  "R_390_GOT12",       f::g_a,       disp12, c::zero, linux},
      {7,  "R_390_GOT32",       f::g_a,       data32, c::zero, linux},
      {8,  "R_390_PLT32",       f::special,   data32, c::zero, call},
      {13, "R_390_GOTOFF32",    f::s_a_got,   data32, c::zero, linux},
      {14, "R_390_GOTPC",       f::got_a_p,   data32, c::sign, linux},
      {15, "R_390_GOT16",       f::g_a,       data16, c::zero, linux},
      {16, "R_390_PC16",        f::s_a_p,     data16, c::sign, linux},
      {17, "R_390_PC16DBL",     f::s_a_p,     dbl16,  c::sign, linux, 1},
      {18, "R_390_PLT16DBL",    f::l_a_p,     dbl16,  c::sign, call,  1},
      {19, "R_390_PC32DBL",     f::s_a_p,     dbl32,  c::sign, linux, 1},
      {20, "R_390_PLT32DBL",    f::l_a_p,     dbl32,  c::sign, call,  1},
      {21, "R_390_GOTPCDBL",    f::got_a_p,   dbl32,  c::sign, linux, 1},
      {22, "R_390_64",          f::s_a,       data64, c::none, linux},
      {23, "R_390_PC64",        f::s_a_p,     data64, c::none, linux},
      {24, "R_390_GOT64",       f::g_a,       data64, c::none, linux},
      {25, "R_390_PLT64",       f::special,   data64, c::none, call},
      {26, "R_390_GOTENT",      f::g_got_a_p, dbl32,  c::sign, linux, 1},
      {27, "R_390_GOTOFF16",    f::s_a_got,   data16, c::zero, linux},
      {28, "R_390_GOTOFF64",    f::s_a_got,   data64, c::none, linux},
      {29, "R_390_GOTPLT12",    f::g_a,       disp12, c::zero, linux},
      {30, "R_390_GOTPLT16",    f::g_a,       data16, c::zero, linux},
      {31, "R_390_GOTPLT32",    f::g_a,       data32, c::zero, linux},
      {32, "R_390_GOTPLT64",    f::g_a,       data64, c::none, linux},
      {33, "R_390_GOTPLTENT",   f::g_got_a_p, dbl32,  c::sign, linux, 1},
      {34, "R_390_PLTOFF16",    f::l_a_got,   data16, c::zero, linux},
      {35, "R_390_PLTOFF32",    f::l_a_got,   data32, c::zero, linux},
      {36, "R_390_PLTOFF64",    f::l_a_got,   data64, c::none, linux},
      {37, "R_390_TLS_LOAD",    f::tls,       {},     c::none, 0},
      {38, "R_390_TLS_GDCALL",  f::tls,       {},     c::none, 0},
      {39, "R_390_TLS_LDCALL",  f::tls,       {},     c::none, 0},
      {40, "R_390_TLS_GD32",    f::tls,       {},     c::none, 0},
      {41, "R_390_TLS_GD64",    f::tls,       {},     c::none, 0},
      {42, "R_390_TLS_GOTIE12", f::tls,       {},     c::none, 0},
      {43, "R_390_TLS_GOTIE32", f::tls,       {},     c::none, 0},
      {44, "R_390_TLS_GOTIE64", f::tls,       {},     c::none, 0},
      {45, "R_390_TLS_LDM32",   f::tls,       {},     c::none, 0},
      {46, "R_390_TLS_LDM64",   f::tls,       {},     c::none, 0},
      {47, "R_390_TLS_IE32",    f::tls,       {},     c::none, 0},
      {48, "R_390_TLS_IE64",    f::tls,       {},     c::none, 0},
      {49, "R_390_TLS_IEENT",   f::tls,       {},     c::none, 0},
      {50, "R_390_TLS_LE32",    f::tls,       {},     c::none, 0},
      {51, "R_390_TLS_LE64",    f::tls,       {},     c::none, 0},
      {52, "R_390_TLS_LDO32",   f::tls,       {},     c::none, 0},
      {53, "R_390_TLS_LDO64",   f::tls,       {},     c::none, 0},
      {54, "R_390_TLS_DTPMOD",  f::tls,       {},     c::none, 0},
      {55, "R_390_TLS_DTPOFF",  f::tls,       {},     c::none, 0},
      {56, "R_390_TLS_TPOFF",   f::tls,       {},     c::none, 0},
      {57, "R_390_20",          f::s_a,       disp20, c::sign, linux},
      {58, "R_390_GOT20",       f::g_a,       disp20, c::sign, linux},
      {59, "R_390_GOTPLT20",    f::g_a,       disp20, c::sign, linux},
      {60, "R_390_TLS_GOTIE20", f::tls,       {},     c::none, 0},
      {62, "R_390_PC12DBL",     f::s_a_p,     dbl12,  c::sign, 0, 1},
      {63, "R_390_PLT12DBL",    f::l_a_p,     dbl12,  c::sign, reloc::branch, 1},
      {64, "R_390_PC24DBL",     f::special,   {3},    c::sign, 0, 1},
      {65, "R_390_PLT24DBL",    f::special,   {3},    c::sign, reloc::branch, 1},
  };
  // clang-format on

  static constexpr u8 needs_of(u32 type) noexcept {
    if (type == 8 || type == 25 || type == 65)
      return reloc::needs_plt_entry;
    for (reloc::rule const& r : rules)
      if (r.type == type)
        switch (r.formula) {
        case f::g_a:
        case f::g_got_a_p: return reloc::needs_got | reloc::needs_got_slot;
        case f::s_a_got:
        case f::got_a_p: return reloc::needs_got;
        case f::l_a_got: return reloc::needs_got | reloc::needs_plt_entry;
        case f::l_a_p: return reloc::needs_plt_entry;
        default: return 0;
        }
    return 0;
  }

  static void write_got_slot(std::byte* slot, u64 s) noexcept { format::word::store(slot, s); }
  static void write_plt_entry(std::byte* entry, address, u64 target) noexcept {
    static constexpr unsigned char code[14] = {0x0d, 0x10, 0xe3, 0x10, 0x10, 0x0c, 0,
                                               4,    0x07, 0xf1, 0,    0,    0,    0};
    __builtin_memcpy(entry, code, sizeof code);
    format::word::store(entry + sizeof code, target);
  }
  /// reloc/branch_islands.hpp. A place lies 1, 2 or 3 bytes behind the start of its instruction,
  /// from where distances count.
  static constexpr u64 far_stub_size = plt_entry_size;
  static constexpr bool is_far_call(u32 type) noexcept {
    return type == 18 || type == 20 || type == 63 || type == 65;
  }
  static constexpr u64 call_addend(u32 type) noexcept {
    return type == 63 ? 1 : type == 65 ? 3 : 2;
  }
  template <class State>
  static bool write_far_stub(std::byte* stub, address at, u64 target, u32, State const&) noexcept {
    write_plt_entry(stub, at, target);
    return true;
  }

  /// The same with a branch to the thunk, `distance` bytes from the entry.
  static void write_expoline_entry(std::byte* entry, u64 distance, u64 target) noexcept {
    write_plt_entry(entry, {}, target);
    entry[8] = std::byte{0xc0};
    entry[9] = std::byte{0xf4};
    elf::field<u32, format::order>::store(entry + 10, static_cast<u32>((distance - 8) >> 1));
  }
  /// exrl %r0,.+10; j .; br %r1
  static void write_expoline_thunk(std::byte* entry) noexcept {
    static constexpr unsigned char code[12] = {0xc6, 0, 0, 0, 0, 5, 0xa7, 0xf4, 0, 0, 7, 0xf1};
    __builtin_memcpy(entry, code, sizeof code);
  }

  /// PLT32 and PLT64 always mean the PLT entry; the 24-bit places have three bytes.
  template <class State>
  [[gnu::always_inline]] static errc special(u32 type, reloc::operands const& o,
                                             std::span<std::byte> section, u64 offset, State& s,
                                             u64& shown) noexcept {
    std::byte* const place = section.data() + offset;
    u64 v = o.s + o.a - o.p;
    if (type == 8 || type == 25)
      v = s.l(o) + o.a - o.p;
    else if (type == 65 && !reloc::fits(v, c::sign, 25))
      static_cast<void>(s.far(type, o, v));
    shown = v;
    if (type == 25) {
      format::word::store(place, v);
      return errc::ok;
    }
    if (type == 8) {
      elf::field<u32, format::order>::store(place, static_cast<u32>(v));
      return reloc::fits(v, c::zero, 32) ? errc::ok : bad_value;
    }
    for (unsigned i = 0; i < 3; ++i)
      place[i] = static_cast<std::byte>(v >> (17 - 8 * i));
    return reloc::fits(v, c::sign, 25) && (v & 1) == 0 ? errc::ok : bad_value;
  }

  /// GOT and PLT at the start of core.
  struct state : reloc::got_plt<s390x> {
    u64 core_prefix = 0; ///< bytes of both together
    u32 got_count = 0;
    u32 plt_count = 0; ///< without the thunk
    bool expoline = false;

    /// The hot loop knows the slots; for a call out of reach it gives up, and the exact loop asks
    /// far().
    bool simple() const noexcept { return true; }

    /// The address of the symbol's PLT entry, or of the symbol if it has none.
    u64 l(reloc::operands const& o) const noexcept {
      return has_plt(o.symbol) ? plt.value + u64{plt_slot[o.symbol] - 1} * plt_entry_size : o.s;
    }
    /// GOT-relative forms need the address only, those through a slot the slot.
    bool has(reloc::formula formula, u32 symbol) const noexcept {
      return formula == reloc::formula::g_a || formula == reloc::formula::g_got_a_p
                 ? symbol < got_slot.size() && got_slot[symbol] != 0
                 : got.value != 0;
    }

    bool own_symbol(std::string_view symbol, u64& value) const noexcept {
      if (!equal(symbol, "_GLOBAL_OFFSET_TABLE_"sv))
        return false;
      value = got.value;
      return true;
    }

    std::span<std::byte const> got_bytes() const noexcept {
      return {host_, got_count * std::size_t{got_slot_size}};
    }
    std::span<std::byte const> plt_bytes() const noexcept {
      return {host_ + got_bytes().size(),
              static_cast<std::size_t>(core_prefix) - got_bytes().size()};
    }

    void placed(section_table const&, module const& m) noexcept {
      region const& memory = m.memories[0].memory;
      got = memory.target;
      plt = got + u64{got_count} * got_slot_size;
      host_ = memory.host;
    }

    void fill(section_table const&, std::span<u64 const> values) noexcept {
      std::byte* const entries = host_ + u64{got_count} * got_slot_size;
      u64 const thunk = u64{plt_count} * plt_entry_size;
      for (std::size_t i = 0; i < got_slot.size() && i < values.size(); ++i) {
        if (u32 n = got_slot[i]; n != 0)
          write_got_slot(host_ + u64{n - 1} * got_slot_size, values[i]);
        if (u32 n = plt_slot[i]; n != 0) {
          u64 const at = u64{n - 1} * plt_entry_size;
          if (expoline)
            write_expoline_entry(entries + at, thunk - at, values[i]);
          else
            write_plt_entry(entries + at, plt + at, values[i]);
        }
      }
      if (expoline && plt_count != 0)
        write_expoline_thunk(entries + thunk);
    }

  private:
    std::byte* host_ = nullptr;
  };

  /// module_frob_arch_sections: numbers the slots over all relocation sections, kept or not.
  template <class Context>
  static errc frob(Context const& context, state& s) noexcept {
    using abi = typename Context::abi;
    auto const symbols = context.symbols();
    errc const counted = context.for_each_relocations([&](u32, auto entries) {
      for (relocation const& r : entries) {
        u8 needs = reloc::slot_needs<s390x>::of(type_of(r));
        if constexpr (requires { Context::arch::branch_islands; })
          if (is_far_call(type_of(r)))
            needs = 0;
        u32 const symbol = symbol_of(r);
        if (needs == 0 || symbol >= symbols.size())
          continue;
        if (s.got_slot.empty()) {
          s.got_slot = context.template scratch<u32>(symbols.size());
          s.plt_slot = context.template scratch<u32>(symbols.size());
          if (s.got_slot.empty() || s.plt_slot.empty())
            return context.no_memory(symbols.size() * sizeof(u32));
        }
        if ((needs & reloc::needs_got_slot) != 0 && s.got_slot[symbol] == 0)
          s.got_slot[symbol] = ++s.got_count;
        if ((needs & reloc::needs_plt_entry) != 0 && s.plt_slot[symbol] == 0)
          s.plt_slot[symbol] = ++s.plt_count;
      }
      return errc::ok;
    });
    if (counted != errc::ok)
      return counted;
    if constexpr (requires { abi::expoline; })
      s.expoline = abi::expoline;
    u64 const entries = u64{s.plt_count} + (s.expoline && s.plt_count != 0 ? 1 : 0);
    s.core_prefix = u64{s.got_count} * got_slot_size + entries * plt_entry_size;
    return errc::ok;
  }
};

} // namespace kmodld::arch
