// SPDX-License-Identifier: MIT
// x86-64: AMD64 psABI 1.0, "Relocation", table 4.9.
//
// What is odd here: none of it needs a stub in a kernel. Modules are compiled with
// -mcmodel=kernel: code and data lie in the top 2 GiB together with the kernel, so every call and
// every address fits 32 signed bits. Linux's loader therefore knows six types and builds neither
// GOT nor PLT. Objects compiled with -fpic ask for a GOT all the same; kmodld makes one for the
// symbols that need it, and on request a stub for each function that may lie out of reach:
//
//   ff 25 02 00 00 00    jmp *2(%rip)
//   66 90                xchg %ax,%ax
//   .quad target
#pragma once

#include <kmodld/reloc/got_plt.hpp>

namespace kmodld::arch {

struct x86_64 {
  static constexpr std::string_view name = "x86_64"sv;
  using format = elf::elf64_le;
  using relocation = format::rela;
  static constexpr u16 machine = 62;
  static constexpr u64 page_size = 4096;
  /// An undefined _GLOBAL_OFFSET_TABLE_ that nobody provides is left 0 (x86 only, as in Linux).
  static constexpr bool ignores_got_symbol = true;
  static constexpr u64 got_slot_size = 8;
  static constexpr u64 plt_entry_size = 16;

  static bool accepts(format::ehdr const& h) noexcept { return h.e_machine == machine; }

  static u32 type_of(relocation const& r) noexcept { return format::r_type(r.r_info); }
  static u32 symbol_of(relocation const& r) noexcept { return format::r_sym(r.r_info); }
  static u64 addend_of(relocation const& r) noexcept { return static_cast<u64>(i64{r.r_addend}); }

  /// PC-relative words reach 2 GiB either way; from an address inside `w` everything in the
  /// answer can be reached and can reach it.
  static constexpr reach_window reach(reach_window w) noexcept {
    constexpr u64 distance = 0x7ff00000; // a megabyte is left for the module's own size
    u64 first = w.last.value > distance ? w.last.value - distance : 0;
    u64 last = w.first.value < ~u64{0} - distance ? w.first.value + distance : ~u64{0};
    return {{first}, {last}};
  }

  // clang-format off
  static constexpr reloc::rule rules[] = {
      {0,  "R_X86_64_NONE",            reloc::formula::none,      {0}, reloc::check::none,   reloc::by_linux},
      {1,  "R_X86_64_64",              reloc::formula::s_a,       {8}, reloc::check::none,   reloc::by_linux | reloc::zero_place},
      {2,  "R_X86_64_PC32",            reloc::formula::s_a_p,     {4}, reloc::check::sign,   reloc::by_linux | reloc::zero_place},
      {3,  "R_X86_64_GOT32",           reloc::formula::g_a,       {4}, reloc::check::sign,   0},
      {4,  "R_X86_64_PLT32",           reloc::formula::l_a_p,     {4}, reloc::check::sign,   reloc::by_linux | reloc::zero_place | reloc::branch},
      {9,  "R_X86_64_GOTPCREL",        reloc::formula::g_got_a_p, {4}, reloc::check::sign,   0},
      {10, "R_X86_64_32",              reloc::formula::s_a,       {4}, reloc::check::zero,   reloc::by_linux | reloc::zero_place},
      {11, "R_X86_64_32S",             reloc::formula::s_a,       {4}, reloc::check::sign,   reloc::by_linux | reloc::zero_place},
      {12, "R_X86_64_16",              reloc::formula::s_a,       {2}, reloc::check::either, 0},
      {13, "R_X86_64_PC16",            reloc::formula::s_a_p,     {2}, reloc::check::sign,   0},
      {14, "R_X86_64_8",               reloc::formula::s_a,       {1}, reloc::check::either, 0},
      {15, "R_X86_64_PC8",             reloc::formula::s_a_p,     {1}, reloc::check::sign,   0},
      {16, "R_X86_64_DTPMOD64",        reloc::formula::tls,       {8}, reloc::check::none,   0},
      {17, "R_X86_64_DTPOFF64",        reloc::formula::tls,       {8}, reloc::check::none,   0},
      {18, "R_X86_64_TPOFF64",         reloc::formula::tls,       {8}, reloc::check::none,   0},
      {19, "R_X86_64_TLSGD",           reloc::formula::tls,       {4}, reloc::check::none,   0},
      {20, "R_X86_64_TLSLD",           reloc::formula::tls,       {4}, reloc::check::none,   0},
      {21, "R_X86_64_DTPOFF32",        reloc::formula::tls,       {4}, reloc::check::none,   0},
      {22, "R_X86_64_GOTTPOFF",        reloc::formula::tls,       {4}, reloc::check::none,   0},
      {23, "R_X86_64_TPOFF32",         reloc::formula::tls,       {4}, reloc::check::none,   0},
      {24, "R_X86_64_PC64",            reloc::formula::s_a_p,     {8}, reloc::check::none,   reloc::by_linux | reloc::zero_place},
      {25, "R_X86_64_GOTOFF64",        reloc::formula::s_a_got,   {8}, reloc::check::none,   0},
      {26, "R_X86_64_GOTPC32",         reloc::formula::got_a_p,   {4}, reloc::check::sign,   0},
      {27, "R_X86_64_GOT64",           reloc::formula::g_a,       {8}, reloc::check::none,   0},
      {28, "R_X86_64_GOTPCREL64",      reloc::formula::g_got_a_p, {8}, reloc::check::none,   0},
      {29, "R_X86_64_GOTPC64",         reloc::formula::got_a_p,   {8}, reloc::check::none,   0},
      {30, "R_X86_64_GOTPLT64",        reloc::formula::g_a,       {8}, reloc::check::none,   0},
      {31, "R_X86_64_PLTOFF64",        reloc::formula::l_a_got,   {8}, reloc::check::none,   0},
      {32, "R_X86_64_SIZE32",          reloc::formula::z_a,       {4}, reloc::check::zero,   0},
      {33, "R_X86_64_SIZE64",          reloc::formula::z_a,       {8}, reloc::check::none,   0},
      {34, "R_X86_64_GOTPC32_TLSDESC", reloc::formula::tls,       {4}, reloc::check::none,   0},
      {35, "R_X86_64_TLSDESC_CALL",    reloc::formula::tls,       {0}, reloc::check::none,   0},
      {36, "R_X86_64_TLSDESC",         reloc::formula::tls,       {8}, reloc::check::none,   0},
      {41, "R_X86_64_GOTPCRELX",       reloc::formula::g_got_a_p, {4}, reloc::check::sign,   0},
      {42, "R_X86_64_REX_GOTPCRELX",   reloc::formula::g_got_a_p, {4}, reloc::check::sign,   0},
  };
  // clang-format on

  /// Jump labels: code, target, key.
  static constexpr u32 turns[][3] = {{24, 2, 2}};

  using state = reloc::got_plt<x86_64>;

  /// What relocations of a type ask of GOT and PLT, before layout: reloc::needs_got ...
  static constexpr u8 needs_of(u32 type) noexcept {
    for (reloc::rule const& r : rules)
      if (r.type == type)
        return needs_of(r.formula);
    return 0;
  }
  static constexpr u8 needs_of(reloc::formula f) noexcept {
    switch (f) {
    case reloc::formula::g_a:
    case reloc::formula::g_got_a_p: return reloc::needs_got | reloc::needs_got_slot;
    case reloc::formula::s_a_got:
    case reloc::formula::got_a_p: return reloc::needs_got;
    case reloc::formula::l_a_got: return reloc::needs_got | reloc::needs_plt_entry;
    case reloc::formula::l_a_p: return reloc::needs_plt_entry;
    default: return 0;
    }
  }

  static void write_got_slot(std::byte* slot, u64 s) noexcept { format::word::store(slot, s); }
  static void write_plt_entry(std::byte* entry, address, u64 s) noexcept {
    write_plt_entry(entry, s);
  }
  /// The entry may stand anywhere.
  static void write_plt_entry(std::byte* entry, u64 s) noexcept {
    static constexpr unsigned char code[8] = {0xff, 0x25, 2, 0, 0, 0, 0x66, 0x90};
    __builtin_memcpy(entry, code, sizeof code);
    format::word::store(entry + sizeof code, s);
  }

  /// reloc/branch_islands.hpp.
  static constexpr u64 far_stub_size = plt_entry_size;
  static constexpr bool is_far_call(u32 type) noexcept { return type == 4; }
  static constexpr u64 call_addend(u32) noexcept { return ~u64{3}; } ///< -4: from the next one
  template <class State>
  static bool write_far_stub(std::byte* stub, address, u64 target, u32, State const&) noexcept {
    write_plt_entry(stub, target);
    return true;
  }
};

} // namespace kmodld::arch
