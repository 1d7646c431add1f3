// SPDX-License-Identifier: MIT
// Where a value goes: whole bytes, or bit slices of an instruction as the psABIs draw them.
#pragma once

#include <kmodld/address.hpp>

#include <utility>

namespace kmodld::reloc {

/// Bits [from, from + bits) of the value stand at [to, to + bits) of the place.
struct slice {
  u8 from, bits, to;
  friend constexpr bool operator==(slice, slice) noexcept = default;
};

/// A place of `bytes` bytes. Without slices it takes the whole value; with slices all other bits of
/// the place are kept. `halves`: two 16-bit units, the first one the more significant (Thumb-2).
struct field {
  static constexpr u8 max_slices = 8;

  u8 bytes = 0;
  u8 count = 0;
  slice slices[max_slices] = {};
  bool halves = false;
  u8 clears = 0; ///< slices behind the others whose bits become 0: the top of a scaled immediate

  friend constexpr bool operator==(field const&, field const&) noexcept = default;

  /// The bits of the place that are replaced.
  constexpr u64 mask() const noexcept {
    u64 m = count == 0 ? (bytes == 8 ? ~u64{0} : (u64{1} << (bytes * 8)) - 1) : 0;
    for (unsigned i = 0; i < unsigned{count} + clears; ++i)
      m |= ((u64{1} << slices[i].bits) - 1) << slices[i].to;
    return m;
  }
  /// How many low bits of the value the place holds.
  constexpr unsigned width() const noexcept {
    unsigned w = count == 0 ? bytes * 8u : 0u;
    for (u8 i = 0; i < count; ++i)
      w = slices[i].from + slices[i].bits > w ? slices[i].from + slices[i].bits : w;
    return w;
  }
  constexpr u64 encode(u64 old, u64 value) const noexcept {
    if (count == 0)
      return value & mask();
    u64 bits = 0;
    for (u8 i = 0; i < count; ++i)
      bits |= ((value >> slices[i].from) & ((u64{1} << slices[i].bits) - 1)) << slices[i].to;
    return (old & ~mask()) | bits;
  }
  /// The value that the place holds, sign-extended from width(): the addend of REL relocations.
  constexpr u64 decode(u64 place) const noexcept {
    u64 value = place;
    if (count != 0) {
      value = 0;
      for (u8 i = 0; i < count; ++i)
        value |= ((place >> slices[i].to) & ((u64{1} << slices[i].bits) - 1)) << slices[i].from;
    }
    unsigned const w = width();
    if (w >= 64)
      return value;
    u64 const sign = u64{1} << (w - 1);
    value &= (u64{1} << w) - 1;
    return (value ^ sign) - sign;
  }
};

/// field::encode for a field known at compile time: neither loop nor call is left of it.
template <field F>
[[gnu::always_inline]] constexpr u64 encode(u64 old, u64 value) noexcept {
  constexpr u64 mask = F.mask();
  u64 bits = F.count == 0 ? value & mask : old & ~mask;
  [&]<std::size_t... I>(std::index_sequence<I...>) __attribute__((always_inline)) {
    static_cast<void>(((bits |= (value >> F.slices[I].from & ((u64{1} << F.slices[I].bits) - 1))
                                << F.slices[I].to),
                       ...));
  }(std::make_index_sequence<F.count>{});
  return bits;
}

} // namespace kmodld::reloc
