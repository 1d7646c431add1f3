// SPDX-License-Identifier: MIT
// What relocating one section needs: nothing of a loader, nothing of an image's headers.
#pragma once

#include <kmodld/elf/types.hpp>
#include <kmodld/error.hpp>

namespace kmodld {

/// One attribute byte a symbol.
enum : u8 {
  symbol_undefined = 1, ///< SHN_UNDEF in the object
  symbol_weak = 2,
  symbol_function = 4,    ///< STT_FUNC
  symbol_unresolved = 8,  ///< undefined, weak, and nobody defines it
  symbol_other_shift = 5, ///< bits 5-7: bits 5-7 of st_other (powerpc64 local entry)
};

/// The symbols of an object: final values, dense by symbol number, and optionally attributes.
struct symbol_values {
  std::span<u64 const> values;
  std::span<u8 const> attributes{}; ///< empty, or as long as values
  /// Some attribute has symbol_unresolved, and branches to such symbols are to be refused.
  bool unresolved_weak = false;
};

/// One relocation section and its target. `Relocation` is rel or rela of the architecture's format.
template <class Relocation>
struct section_relocations {
  std::span<std::byte> bytes; ///< the target section, where it is written
  address place;              ///< the target section, where it will run
  byte_view original;         ///< its bytes in the object: for REL addends and to find a fault
  std::span<Relocation const> relocations;
};

namespace reloc {

/// The operands of one relocation: symbol value, addend, address of the place, symbol number and
/// attributes (0 where the caller gave none).
struct operands {
  u64 s, a, p;
  u32 symbol;
  u8 attributes;
};

/// Unsigned integer of 1, 2, 4 or 8 bytes.
template <std::size_t Bytes>
using uint_of = std::conditional_t<
    Bytes == 8, u64, std::conditional_t<Bytes == 4, u32, std::conditional_t<Bytes == 2, u16, u8>>>;

/// Reads and writes a place of `Bytes` bytes in the target's order; with `Halves` two 16-bit units,
/// the first one the more significant.
template <class Format, std::size_t Bytes, bool Halves = false>
struct place_access {
  using stored = elf::field<uint_of<Bytes>, Format::order>;
  static constexpr bool swap = Halves && Bytes == 4 && Format::order == elf::byte_order::little;

  static u64 load(std::byte const* p) noexcept { return turned(stored::load(p)); }
  static void store(std::byte* p, u64 v) noexcept {
    stored::store(p, static_cast<uint_of<Bytes>>(turned(static_cast<uint_of<Bytes>>(v))));
  }

private:
  static constexpr u64 turned(u64 v) noexcept {
    return swap ? (v >> 16 & 0xffff) | (v & 0xffff) << 16 : v;
  }
};

/// A computed value as the target sees it: addresses of 32-bit targets wrap at 4 GiB, so that the
/// way from one end of memory to the other is short. Sign-extended, as the checks expect.
template <class Format>
constexpr u64 address_wrapped(u64 v) noexcept {
  if constexpr (Format::bits == 32)
    return static_cast<u64>(i64{static_cast<i32>(static_cast<u32>(v))});
  else
    return v;
}

/// Whether the addend stands in the place (SHT_REL).
template <class Relocation>
constexpr bool addend_in_place = !requires(Relocation const& r) { r.r_addend; };

} // namespace reloc

} // namespace kmodld
