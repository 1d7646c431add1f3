// SPDX-License-Identifier: MIT
// From an architecture's table, at compile time: which class a type belongs to, and which classes
// there are. A class is what one inner loop of the hot loop serves: types with one field and check.
//
// Types of one class may differ in a number that a small table holds: whether P counts (x86-64 PC32
// and 32S), or where the slice begins (AArch64 LDST32 and LDST64). In code such types alternate,
// and a look into the table costs less than the processor's wrong guess of what comes next.
#pragma once

#include <kmodld/reloc/rule.hpp>

#include <span>

namespace kmodld::reloc {

/// What an inner loop is specialised for: the rule of one of its types.
struct rule_class {
  reloc::formula formula = formula::none;
  reloc::field field{};
  reloc::check check = check::none;
  u8 align = 0;
  bool zero = false;
  u32 special_type = 0;  ///< of formula::special: the type that the handler is specialised for
  bool formulas = false; ///< its types differ in the formula
  bool slices = false;   ///< its types differ in where the slice begins
};

namespace detail {

/// What of S + A and of P counts in a plain formula.
constexpr u64 sum_mask(formula f) noexcept { return f == formula::page_p ? ~u64{0xfff} : ~u64{0}; }
constexpr u64 place_mask(formula f) noexcept { return f == formula::s_a ? 0 : sum_mask(f); }

constexpr bool like(rule_class const& a, rule_class const& b) noexcept {
  return a.check == b.check && a.align == b.align && a.zero == b.zero &&
         a.field.bytes == b.field.bytes && a.field.halves == b.field.halves;
}
constexpr bool same(rule_class const& a, rule_class const& b) noexcept {
  return like(a, b) && a.formula == b.formula && a.field == b.field &&
         a.special_type == b.special_type;
}
/// Words of 8 bytes stand in tables, where one type is followed by many of its kind.
constexpr bool differ_in_formula(rule_class const& a, rule_class const& b) noexcept {
  return like(a, b) && is_plain(a.formula) && is_plain(b.formula) && a.field == b.field &&
         a.field.bytes <= 4 && !a.slices;
}
constexpr bool differ_in_slice(rule_class const& a, rule_class const& b) noexcept {
  return like(a, b) && is_plain(a.formula) && a.formula == b.formula && a.check == check::none &&
         a.field.count == 1 && b.field.count == 1 && a.field.width() == b.field.width() &&
         a.field.slices[0].to == b.field.slices[0].to && !a.formulas;
}

} // namespace detail

/// `Arch::rules` is an array of rule, ascending by type. What Linux's loader refuses is rare and
/// left to the exact loop, as is what needs a GOT or PLT, unless all modules have them (s390x).
template <class Arch>
class classes {
  static constexpr std::size_t rule_count = sizeof Arch::rules / sizeof Arch::rules[0];
  static constexpr bool hot_slots = requires { Arch::hot_slots; };
  static_assert(
      [] {
        for (std::size_t i = 1; i < rule_count; ++i)
          if (Arch::rules[i - 1].type >= Arch::rules[i].type)
            return false;
        return true;
      }(),
      "kmodld: Arch::rules must ascend by type");
  static_assert(
      [] {
        for (rule const& r : Arch::rules)
          for (u32 k = 0; k < std::size(r.field.slices); ++k)
            if ((k < r.field.count + u32{r.field.clears}) != (r.field.slices[k].bits != 0))
              return false;
        return true;
      }(),
      "kmodld: a field of Arch::rules has more or fewer slices than its count says");
  static constexpr bool taken(rule const& r) noexcept {
    return (r.flags & by_linux) != 0 &&
           (r.formula == formula::none || r.formula == formula::special || is_plain(r.formula) ||
            (hot_slots && r.formula < formula::special));
  }
  static constexpr rule_class of(rule const& r) noexcept {
    // Without a PLT L is S, so that a call and a PC-relative word are one class; the exact loop
    // takes over where the value does not fit.
    return {.formula = r.formula == formula::l_a_p ? formula::s_a_p : r.formula,
            .field = r.field,
            .check = r.check,
            .align = r.align,
            .zero = (r.flags & zero_place) != 0,
            .special_type = r.formula == formula::special ? r.type : 0};
  }

  struct merged {
    rule_class list[rule_count] = {};
    u32 count = 0;
    u8 of_row[rule_count] = {};

    constexpr merged() noexcept {
      for (std::size_t i = 0; i < rule_count; ++i)
        of_row[i] = taken(Arch::rules[i]) ? static_cast<u8>(add(of(Arch::rules[i]))) : no_class;
    }

    constexpr u32 add(rule_class const& c) noexcept {
      for (u32 k = 0; k < count; ++k) {
        rule_class& known = list[k];
        bool const formula = detail::differ_in_formula(known, c);
        bool const slice = detail::differ_in_slice(known, c);
        if (!detail::same(known, c) && !formula && !slice)
          continue;
        known.formulas = known.formulas || (formula && known.formula != c.formula);
        known.slices = known.slices || (slice && known.field != c.field);
        return k;
      }
      list[count] = c;
      return count++;
    }
  };
  static constexpr merged all{};

  /// What there is of all this at run time.
  struct by_type {
    u8 map[Arch::rules[rule_count - 1].type + 1] = {};
    constexpr by_type() noexcept {
      for (u8& m : map)
        m = no_class;
      for (std::size_t i = 0; i < rule_count; ++i)
        map[Arch::rules[i].type] = all.of_row[i];
    }
  };
  static constexpr by_type types{};

public:
  static constexpr u8 no_class = 0xff;
  static constexpr u32 count = all.count;
  static constexpr u32 type_end = Arch::rules[rule_count - 1].type + 1;
  static constexpr rule_class get(u32 k) noexcept { return all.list[k]; }

  /// The class of a type; no_class if the hot loop does not serve it.
  static constexpr u8 of_type(u32 type) noexcept {
    return type < type_end ? types.map[type] : no_class;
  }
};

/// Where the row of each type stands in Arch::rules.
template <class Arch>
class rows {
  static constexpr std::size_t rule_count = sizeof Arch::rules / sizeof Arch::rules[0];
  static constexpr u32 type_end = Arch::rules[rule_count - 1].type + 1;
  static_assert(rule_count < 0xffff);
  struct table {
    u16 row[type_end] = {}; ///< 0 or one more than its number
    constexpr table() noexcept {
      for (std::size_t i = rule_count; i-- > 0;)
        row[Arch::rules[i].type] = static_cast<u16>(i + 1);
    }
  };
  static constexpr table built{};

public:
  static constexpr rule const* find(u32 type) noexcept {
    return type < type_end && built.row[type] != 0 ? &Arch::rules[built.row[type] - 1] : nullptr;
  }
};

/// The row of a type; null if the table has none.
template <class Arch>
constexpr rule const* find_rule(u32 type) noexcept {
  return rows<Arch>::find(type);
}

/// needs_of() of every type.
template <class Arch>
class slot_needs {
  static constexpr u32 type_end = classes<Arch>::type_end;
  struct table {
    u8 bits[type_end] = {};
    constexpr table() noexcept {
      for (u32 t = 0; t < type_end; ++t)
        bits[t] = Arch::needs_of(t);
    }
  };
  static constexpr table built{};

  static constexpr u64 bit(u32 type) noexcept { return u64{1} << (type & 63); }
  static constexpr u64 got_types = [] {
    u64 set = 0;
    for (u32 t = 0; t < type_end; ++t)
      set |= (Arch::needs_of(t) & (needs_got | needs_got_slot)) != 0 ? bit(t) : 0;
    return set;
  }();

public:
  static constexpr u8 of(u32 type) noexcept { return type < type_end ? built.bits[type] : u8{0}; }

  /// A quick look: false only if none of them needs the GOT.
  template <class Relocation>
  static bool any_of_got(std::span<Relocation const> all) noexcept {
    u64 seen = 0;
    for (Relocation const& r : all)
      seen |= bit(Arch::type_of(r));
    return (seen & got_types) != 0;
  }
};

} // namespace kmodld::reloc
