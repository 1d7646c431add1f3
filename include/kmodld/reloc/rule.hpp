// SPDX-License-Identifier: MIT
// The words in which an architecture's relocation table is written, after the psABIs:
// {type, name, formula, field, check}.
#pragma once

#include <kmodld/address.hpp>

namespace kmodld::reloc {

/// What is computed. S: symbol value, A: addend, P: address of the place, G: offset of the
/// symbol's GOT slot, GOT: address of the GOT, L: address of the symbol's PLT entry or, where it
/// has or needs none, S; Z: size of the symbol.
enum class formula : u8 {
  none,      ///< nothing is written
  s_a,       ///< S + A
  s_a_p,     ///< S + A - P
  l_a_p,     ///< L + A - P
  l_a_got,   ///< L + A - GOT
  g_a,       ///< G + A
  g_got_a_p, ///< G + GOT + A - P
  s_a_got,   ///< S + A - GOT
  got_a_p,   ///< GOT + A - P
  z_a,       ///< Z + A
  tls,       ///< refused: modules have no thread-local storage
};

/// Which values fit a field of n bits.
enum class check : u8 {
  none,   ///< all; the low n bits are written
  sign,   ///< [-2^(n-1), 2^(n-1))
  zero,   ///< [0, 2^n)
  either, ///< [-2^(n-1), 2^n): what assemblers accept for data of 8 and 16 bits
};

/// Whole bytes at the place.
struct field {
  u8 bytes;
  friend constexpr bool operator==(field, field) noexcept = default;
};

/// Properties of a rule.
enum : u8 {
  by_linux = 1,   ///< Linux's loader accepts the type
  zero_place = 2, ///< Linux refuses a place that is not 0 before
  branch = 4,     ///< a call or jump: must not lead to an unresolved weak symbol
};

/// What a relocation asks of GOT and PLT.
enum : u8 {
  needs_got = 1,       ///< the GOT's address
  needs_got_slot = 2,  ///< a slot for the symbol
  needs_plt_entry = 4, ///< a stub, if the symbol may lie out of reach
};

/// One row.
struct rule {
  u32 type;
  char const* name;
  reloc::formula formula;
  reloc::field field;
  reloc::check check;
  u8 flags;
};

/// What the hot loop is specialised for: rules that differ in nothing else share it.
struct rule_class {
  reloc::formula formula = formula::none;
  reloc::field field{0};
  reloc::check check = check::none;
  bool zero = false;
  friend constexpr bool operator==(rule_class, rule_class) noexcept = default;
};

/// Whether `v` fits `bytes` bytes under the check.
constexpr bool fits(u64 v, check c, unsigned bytes) noexcept {
  if (bytes == 8 || c == check::none)
    return true;
  u64 span = u64{1} << (bytes * 8);
  switch (c) {
  case check::sign: return v + span / 2 < span;
  case check::zero: return v < span;
  case check::either: return v + span / 2 < span + span / 2;
  default: return true;
  }
}

} // namespace kmodld::reloc
