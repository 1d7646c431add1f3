// SPDX-License-Identifier: MIT
// From a row of the table to cases: values at, inside and one past both limits, misaligned ones,
// several addends, places with other bits set.
#pragma once

#include "linkers/suite.hpp"

#include <set>

namespace kmodld::test::linkers {

__extension__ using wide_int = __int128;

struct value_to_try {
  wide_int value;
  lies where;
};

inline wide_int power_of_two(unsigned n) { return wide_int{1} << n; }

/// The values worth trying for a field and its check. `word`: bits of an address.
inline std::vector<value_to_try> values_for(rule const& r, unsigned word, numbers& random) {
  unsigned const n = r.field.width() < word ? r.field.width() : word;
  bool const pages = r.formula == reloc::formula::page_p || r.formula == reloc::formula::page_g_p;
  // Where the low bits are another instruction's they may be anything; where they are dropped,
  // linkers want them to be 0.
  unsigned const dropped = lowest_bit(r.field) <= 4 ? lowest_bit(r.field) : 0;
  wide_int const step = pages ? 4096 : wide_int{1} << (r.align < dropped ? dropped : r.align);
  wide_int low = 0, end = 0; // the first that fits, the first that does not
  switch (r.check) {
  case reloc::check::zero: end = power_of_two(n); break;
  case reloc::check::either:
    low = -power_of_two(n - 1);
    end = power_of_two(n);
    break;
  default: low = -power_of_two(n - 1); end = power_of_two(n - 1);
  }
  bool const bounded = r.check != reloc::check::none && n < 64 && !(n == 32 && word == 32);
  std::vector<value_to_try> out;
  auto add = [&](wide_int v, lies where) {
    if (word == 32) // addresses wrap
      v = static_cast<i32>(static_cast<u32>(v));
    out.push_back({v, where == lies::past && v >= low && v < end ? lies::inside : where});
  };
  for (wide_int v :
       {low, low + step, low + 2 * step, -step, wide_int{0}, step, end - 2 * step, end - step})
    if (v >= low && v < end)
      add(v, lies::inside);
  for (int i = 0; i < 4; ++i)
    add(low + wide_int{random()} % ((end - low) / step) * step, lies::inside);
  if (n < word)
    for (wide_int v : {low - step, end, end + step, low - 17 * step, 2 * end, 3 * end + 5 * step})
      add(v, bounded ? lies::past : lies::inside);
  if (!bounded && n < word)
    for (int i = 0; i < 4; ++i)
      add(wide_int{random() >> (64 - word)} / step * step, lies::inside);
  if (!pages)
    for (unsigned bit = 0; bit < dropped || bit < r.align; ++bit)
      add(low + (wide_int{1} << bit) + 64 * step, lies::misaligned);
  return out;
}

/// Whether the value of a formula can be chosen by S.
constexpr bool by_symbol(reloc::formula f) { return reloc::is_plain(f); }

/// Cases for one row. `insn`: the other bits of the place. `within`: where it is in a word.
template <class Arch, class Insn>
void add_cases(suite<Arch>& s, rule const& r, Insn const& insn, u64 within = 0) {
  constexpr unsigned word = Arch::format::bits;
  u64 const mask = suite<Arch>::word_mask;
  bool const zero = (r.flags & reloc::zero_place) != 0;
  unsigned turn = 0;
  for (value_to_try const& t : values_for(r, word, s.random)) {
    static constexpr u64 addends[] = {0, 4, ~u64{3}, 0x124, ~u64{0x7ff}, 0x12345670};
    u64 a = addends[turn++ % 6];
    u64 const p = s.begin(r.type, t.where, {}) + 8 + (s.random() & 8) + within;
    u64 old = insn(r.type, s.random());
    if constexpr (!suite<Arch>::with_addend) {
      // What the field can hold: both ends, too.
      unsigned const w = r.field.width() < 32 ? r.field.width() : 32;
      u64 const low = lowest_bit(r.field);
      u64 const in_field[] = {0,
                              u64{1} << low,
                              ~u64{0} << low,
                              u64{1} << (w - 2),
                              ~u64{0} << (w - 1),
                              (u64{1} << (w - 1)) - (u64{1} << low)};
      a = in_field[turn % 6];
      old = with_value(r.field, old, a);
    }
    u64 v = static_cast<u64>(t.value);
    u64 value = v - a;
    if (r.formula == reloc::formula::page_p)
      value = (p & ~u64{0xfff}) + v - a + (s.random() & 0xfff);
    else if (r.formula != reloc::formula::s_a)
      value += p;
    value &= mask;
    if (r.field.halves)
      s.put_halves(p, old);
    else
      s.put(p, r.field.bytes, zero ? 0 : old);
    u32 const symbol = s.symbol(value);
    s.add(p, r.type, symbol, a);
    s.cells.back().what = std::string{r.name} + ": value " + hex(v) + ", S " + hex(value) + ", A " +
                          hex(a) + ", P " + hex(p);
  }
}

/// One place of a type that the table does not describe: `v` is S + A, or S + A - P if `relative`.
template <class Arch>
u64 add_place(suite<Arch>& s, u32 type, lies where, unsigned size, u64 old, u64 v, u64 a,
              bool relative) {
  u64 const p = s.begin(type, where, {}) + 8;
  s.put(p, size, old);
  u64 const value = v - a + (relative ? p : 0);
  s.add(p, type, s.symbol(value), a);
  s.cells.back().what = std::string{reloc::find_rule<Arch>(type)->name} + ": value " + hex(v) +
                        ", S " + hex(value) + ", A " + hex(a) + ", P " + hex(p);
  return p;
}

/// Cases for a row that goes by a GOT slot, its size or the GOT: the value follows from where the
/// linker puts the GOT.
template <class Arch, class Insn>
void add_slot_cases(suite<Arch>& s, rule const& r, Insn const& insn, u64 addend) {
  for (int i = 0; i < 3; ++i) {
    u64 const p = s.begin(r.type, lies::inside, {}) + 8;
    u64 old = insn(r.type, s.random());
    if constexpr (!suite<Arch>::with_addend)
      old = with_value(r.field, old, addend);
    s.put(p, r.field.bytes, old);
    // Near the GOT, for forms that count from there.
    u64 const value = s.base + 0x100000 + (s.random() & 0x3ff0);
    u32 const symbol = s.symbol(value);
    s.add(p, r.type, symbol, addend);
    s.cells.back().what =
        std::string{r.name} + ": S " + hex(value) + ", A " + hex(addend) + ", P " + hex(p);
  }
}

} // namespace kmodld::test::linkers
