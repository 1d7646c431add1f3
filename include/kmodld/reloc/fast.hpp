// SPDX-License-Identifier: MIT
// The hot loop: a switch on the class, inside it a tight loop over the run of relocations of that
// class (real modules have runs of 5 on average).
//
// Bounds are tested one by one, since nothing may be written outside; what does not fit and places
// that are not zero are gathered by OR and tested once a section. Measured to be slower: 8-byte
// read-modify-write, table loads per type inside the loop, prefetch per relocation.
#pragma once

#include <kmodld/reloc/classes.hpp>
#include <kmodld/reloc/section.hpp>

#include <utility>

namespace kmodld::reloc {

template <class Arch, bool Wide>
class fast_loop {
  using format = typename Arch::format;
  using table = classes<Arch, Wide>;
  using relocation = typename Arch::relocation;
  // The stream of relocations is what limits this loop (24 bytes each); 4 KiB ahead hides memory.
  static constexpr std::size_t prefetch_ahead = 4096;

  section_relocations<relocation> const& in_;
  symbol_values const& symbols_;
  typename Arch::state& state_;
  relocation const* at_;
  relocation const* end_;
  u64 faults_ = 0;

  /// The run of class K that starts at at_; false if a relocation lies out of bounds.
  template <u32 K>
  [[gnu::always_inline]] bool run() noexcept {
    constexpr rule_class c = table::get(K);
    if constexpr (c.formula == formula::none) {
      do
        ++at_;
      while (at_ != end_ && table::of_type(Arch::type_of(*at_)) == K);
      return true;
    } else {
      using place_type = place_access<format, c.field.bytes, c.field.halves>;
      if (in_.bytes.size() < c.field.bytes)
        return false;
      u64 const last = in_.bytes.size() - c.field.bytes;
      u64 const* const values = symbols_.values.data();
      u64 const count = symbols_.values.size();
      std::byte* const bytes = in_.bytes.data();
      u64 const target = in_.place.value;
      u64 faults = 0;
      relocation const* r = at_;
      do {
        __builtin_prefetch(reinterpret_cast<char const*>(r) + prefetch_ahead);
        u64 const offset = r->r_offset;
        u32 const symbol = Arch::symbol_of(*r);
        if (offset > last || symbol >= count) [[unlikely]]
          return false;
        std::byte* const place = bytes + offset;
        if constexpr (c.formula == formula::special) {
          u8 const attributes = symbols_.attributes.empty() ? u8{0} : symbols_.attributes[symbol];
          u64 shown = 0;
          if (Arch::special(
                  c.special_type,
                  {values[symbol], addend<c>(*r, place), target + offset, symbol, attributes},
                  in_.bytes, offset, state_, shown) != errc::ok) [[unlikely]]
            return false;
        } else {
          u64 const a = addend<c>(*r, place);
          u64 v = 0;
          if constexpr (is_plain(c.formula)) {
            v = plain_value(c.formula, values[symbol], a, target + offset);
          } else {
            if (!state_.has(c.formula, symbol)) [[unlikely]]
              return false;
            v = state_.compute(c.formula, {values[symbol], a, target + offset, symbol, 0});
          }
          v = address_wrapped<format>(v);
          constexpr bool load = c.zero || c.field.count != 0;
          u64 const old = load ? place_type::load(place) : 0;
          if constexpr (c.zero)
            faults |= old;
          if constexpr (c.check != check::none)
            faults |= static_cast<u64>(!fits(v, c.check, c.field.width()));
          if constexpr (c.align != 0)
            faults |= v & ((u64{1} << c.align) - 1);
          place_type::store(place, c.field.encode(old, v));
        }
        ++r;
      } while (r != end_ && table::of_type(Arch::type_of(*r)) == K);
      at_ = r;
      faults_ |= faults;
      return true;
    }
  }

  template <rule_class C>
  [[gnu::always_inline]] static u64 addend(relocation const& r, std::byte const* place) noexcept {
    if constexpr (!addend_in_place<relocation>)
      return Arch::addend_of(r);
    else if constexpr (C.field.bytes == 0)
      return 0;
    else
      return C.field.decode(place_access<format, C.field.bytes, C.field.halves>::load(place));
  }

  template <std::size_t... K>
  [[gnu::always_inline]] bool all(std::index_sequence<K...>) noexcept {
    while (at_ != end_) {
      u8 const k = table::of_type(Arch::type_of(*at_));
      bool good = false;
      static_cast<void>(((k == K && (good = run<static_cast<u32>(K)>(), true)) || ...));
      if (!good)
        return false;
    }
    return faults_ == 0;
  }

public:
  fast_loop(section_relocations<relocation> const& in, symbol_values const& symbols,
            typename Arch::state& state) noexcept
      : in_{in}, symbols_{symbols}, state_{state}, at_{in.relocations.data()},
        end_{in.relocations.data() + in.relocations.size()} {}

  /// True if everything was applied. Else the section is spoilt and the exact loop tells why.
  bool operator()() noexcept { return all(std::make_index_sequence<table::count>{}); }
};

} // namespace kmodld::reloc
