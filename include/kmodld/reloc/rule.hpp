// SPDX-License-Identifier: MIT
// The words in which an architecture's relocation table is written, after the psABIs:
// {type, name, formula, field, check, flags, align}.
#pragma once

#include <kmodld/reloc/field.hpp>

namespace kmodld::reloc {

/// What is computed. S: symbol value, A: addend, P: address of the place, G: offset of the
/// symbol's GOT slot, GOT: address of the GOT, L: address of the symbol's PLT entry or, where it
/// has or needs none, S; Z: size of the symbol; page(x): x without its low 12 bits.
enum class formula : u8 {
  none,      ///< nothing is written
  s_a,       ///< S + A
  s_a_p,     ///< S + A - P
  page_p,    ///< page(S + A) - page(P)
  l_a_p,     ///< L + A - P
  l_a_got,   ///< L + A - GOT
  g_a,       ///< G + A
  g_got_a,   ///< G + GOT + A
  g_got_a_p, ///< G + GOT + A - P
  page_g_p,  ///< page(G + GOT + A) - page(P)
  s_a_got,   ///< S + A - GOT
  got_a_p,   ///< GOT + A - P
  z_a,       ///< Z + A
  special,   ///< the architecture's handler computes, checks and writes
  tls,       ///< refused: modules have no thread-local storage
  refused,   ///< refused: Arch::refusal(type) says how
};

/// Whether a formula needs nothing but S, A and P.
constexpr bool is_plain(formula f) noexcept {
  return f == formula::s_a || f == formula::s_a_p || f == formula::page_p || f == formula::l_a_p;
}

/// The value of a plain formula, L being S.
constexpr u64 plain_value(formula f, u64 s, u64 a, u64 p) noexcept {
  switch (f) {
  case formula::s_a: return s + a;
  case formula::page_p: return ((s + a) & ~u64{0xfff}) - (p & ~u64{0xfff});
  default: return s + a - p;
  }
}

/// Which values are accepted.
enum class check : u8 {
  none,   ///< all; what does not fit is cut off
  sign,   ///< [-2^(n-1), 2^(n-1)), n the width of the field
  zero,   ///< [0, 2^n)
  either, ///< [-2^(n-1), 2^n): what assemblers accept for data of 8 and 16 bits
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
  u8 align = 0; ///< the value's low `align` bits must be 0
};

/// Whether `v` fits a field of `bits` bits under the check.
constexpr bool fits(u64 v, check c, unsigned bits) noexcept {
  if (bits >= 64 || c == check::none)
    return true;
  u64 span = u64{1} << bits;
  switch (c) {
  case check::sign: return v + span / 2 < span;
  case check::zero: return v < span;
  case check::either: return v + span / 2 < span + span / 2;
  default: return true;
  }
}

} // namespace kmodld::reloc
