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

/// The value of a formula of the hot loop.
template <formula F>
[[gnu::always_inline]] inline u64 compute(u64 s, u64 a, u64 p) noexcept {
  static_assert(F == formula::s_a || F == formula::s_a_p);
  return F == formula::s_a ? s + a : s + a - p;
}

template <class Arch, bool Wide>
class fast_loop {
  using format = typename Arch::format;
  using table = classes<Arch, Wide>;
  using relocation = typename Arch::relocation;
  template <std::size_t Bytes>
  using word = std::conditional_t<
      Bytes == 8, u64,
      std::conditional_t<Bytes == 4, u32, std::conditional_t<Bytes == 2, u16, u8>>>;

  // The stream of relocations is what limits this loop (24 bytes each); 4 KiB ahead hides memory.
  static constexpr std::size_t prefetch_ahead = 4096;

  section_relocations<relocation> const& in_;
  symbol_values const& symbols_;
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
      using value_type = word<c.field.bytes>;
      using place_type = elf::field<value_type, format::order>;
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
        u64 const v = compute<c.formula>(values[symbol], Arch::addend_of(*r), target + offset);
        if constexpr (c.zero)
          faults |= place_type::load(place);
        if constexpr (c.field.bytes < 8 && c.check != check::none)
          faults |= static_cast<u64>(!fits(v, c.check, c.field.bytes));
        place_type::store(place, static_cast<value_type>(v));
        ++r;
      } while (r != end_ && table::of_type(Arch::type_of(*r)) == K);
      at_ = r;
      faults_ |= faults;
      return true;
    }
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
  fast_loop(section_relocations<relocation> const& in, symbol_values const& symbols) noexcept
      : in_{in}, symbols_{symbols}, at_{in.relocations.data()},
        end_{in.relocations.data() + in.relocations.size()} {}

  /// True if everything was applied. Else the section is spoilt and the exact loop tells why.
  bool operator()() noexcept { return all(std::make_index_sequence<table::count>{}); }
};

} // namespace kmodld::reloc
