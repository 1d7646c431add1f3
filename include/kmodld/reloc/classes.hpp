// SPDX-License-Identifier: MIT
// From an architecture's table, at compile time: which class a type belongs to, and which classes
// there are. Types with one formula, field and check (x86-64 PC32 and PLT32) share a class.
#pragma once

#include <kmodld/reloc/rule.hpp>

namespace kmodld::reloc {

/// `Arch::rules` is an array of rule, ascending by type. `Wide` includes the types that Linux
/// itself refuses.
template <class Arch, bool Wide>
class classes {
  static constexpr std::size_t rule_count = sizeof Arch::rules / sizeof Arch::rules[0];
  // What needs a GOT or PLT is left to the exact loop, unless all modules have them (s390x).
  static constexpr bool hot_slots = requires { Arch::hot_slots; };
  static constexpr bool taken(rule const& r) noexcept {
    return (r.formula == formula::none || r.formula == formula::special || is_plain(r.formula) ||
            (hot_slots && r.formula < formula::special)) &&
           (Wide || (r.flags & by_linux) != 0);
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

  struct tables {
    rule_class list[rule_count] = {};
    u32 count = 0;
    u8 map[Arch::rules[rule_count - 1].type + 1] = {};

    constexpr tables() noexcept {
      for (u8& m : map)
        m = no_class;
      for (rule const& r : Arch::rules)
        if (taken(r)) {
          u32 k = 0;
          while (k < count && !(list[k] == of(r)))
            ++k;
          if (k == count)
            list[count++] = of(r);
          map[r.type] = static_cast<u8>(k);
        }
    }
  };
  static constexpr tables built{};

public:
  static constexpr u8 no_class = 0xff;
  static constexpr u32 count = built.count;
  static constexpr u32 type_end = Arch::rules[rule_count - 1].type + 1;
  static constexpr rule_class get(u32 k) noexcept { return built.list[k]; }

  /// The class of a type; no_class if it is not accepted.
  static constexpr u8 of_type(u32 type) noexcept {
    return type < type_end ? built.map[type] : no_class;
  }
};

/// The row of a type; null if the table has none.
template <class Arch>
constexpr rule const* find_rule(u32 type) noexcept {
  for (rule const& r : Arch::rules)
    if (r.type == type)
      return &r;
  return nullptr;
}

/// needs_of() of every type, as a table for one quick look at many relocations.
template <class Arch>
class slot_needs {
  static constexpr u32 type_end = classes<Arch, true>::type_end;
  struct table {
    u8 bits[type_end] = {};
    constexpr table() noexcept {
      for (u32 t = 0; t < type_end; ++t)
        bits[t] = Arch::needs_of(t);
    }
  };
  static constexpr table built{};

public:
  static constexpr u8 of(u32 type) noexcept { return type < type_end ? built.bits[type] : u8{0}; }
};

} // namespace kmodld::reloc
