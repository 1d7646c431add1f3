// SPDX-License-Identifier: MIT
// Whether a relocation is of a class, and which symbol it names, by one comparison: r_info less
// what the type should be, turned so that the symbol's number stands low. If the type is another
// one, a bit of it is left above, and the result is larger than any number of symbols.
#pragma once

#include <kmodld/elf/types.hpp>
#include <kmodld/reloc/classes.hpp>

#include <bit>

namespace kmodld::reloc {

template <class Arch, u32 K>
class membership {
  using table = classes<Arch>;
  using relocation = typename Arch::relocation;
  using format = typename Arch::format;
  using word = typename format::word_type;

  /// The types of the class.
  struct summary {
    u32 count = 0, first = 0, last = 0;
    u32 largest_byte = 0;     ///< of the low bytes
    bool bytes_differ = true; ///< no two have the same low byte
    bool pages = false;       ///< one goes by pages

    constexpr summary() noexcept {
      bool seen[256] = {};
      for (rule const& r : Arch::rules)
        if (table::of_type(r.type) == K) {
          u32 const low = r.type & 0xff;
          first = count++ == 0 ? r.type : first;
          last = r.type;
          bytes_differ = bytes_differ && !seen[low];
          seen[low] = true;
          largest_byte = low > largest_byte ? low : largest_byte;
          pages = pages || r.formula == formula::page_p;
        }
    }
  };
  static constexpr summary all{};

  // MIPS n64 has an r_info of its own.
  static constexpr bool packed = std::is_same_v<relocation, typename format::rela> ||
                                 std::is_same_v<relocation, typename format::rel>;
  static constexpr bool turned = packed && all.bytes_differ;
  static constexpr u32 difference = all.first ^ all.last;

  struct by_low_byte {
    u32 type[256] = {}; ///< of the class with this low byte; else one that leaves a bit
    u64 sum[all.largest_byte + 1] = {}, place[all.largest_byte + 1] = {};
    u64 keep[all.largest_byte + 1] = {}; ///< bits of the place
    u8 from[all.largest_byte + 1] = {};  ///< first bit of the slice

    constexpr by_low_byte() noexcept {
      for (u32 i = 0; i < 256; ++i)
        type[i] = i ^ 1;
      for (rule const& r : Arch::rules)
        if (table::of_type(r.type) == K) {
          u32 const low = r.type & 0xff;
          type[low] = r.type;
          sum[low] = detail::sum_mask(r.formula);
          place[low] = detail::place_mask(r.formula);
          keep[low] = ~r.field.mask();
          from[low] = r.field.slices[0].from;
        }
    }
  };
  static constexpr by_low_byte tables{};

  [[gnu::always_inline]] static u32 low_byte(relocation const& r) noexcept {
    if constexpr (packed)
      return r.r_info.raw[format::order == elf::byte_order::little ? 0 : sizeof r.r_info - 1];
    else
      return Arch::type_of(r) & 0xff;
  }

public:
  /// The number of the symbol if `r` is of class K; if it is not, a number that is not below 2^24
  /// (where symbols have 24 bits) or 2^32.
  [[gnu::always_inline]] static u64 symbol(relocation const& r) noexcept {
    if constexpr (!turned) {
      return table::of_type(Arch::type_of(r)) == K ? Arch::symbol_of(r) : ~u64{0};
    } else {
      word info = r.r_info;
      if constexpr (all.count == 1)
        info ^= all.first;
      else if constexpr (all.count == 2 && (difference & (difference - 1)) == 0)
        info = (info ^ all.first) & ~word{difference};
      else
        info ^= tables.type[low_byte(r)];
      return std::rotr(info, format::bits == 64 ? 32 : 8);
    }
  }

  /// The value of `r`, where the types of the class differ in the formula.
  [[gnu::always_inline]] static u64 value(relocation const& r, u64 s, u64 a, u64 p) noexcept {
    u32 const low = low_byte(r);
    u64 v = s + a;
    if constexpr (all.pages)
      v &= tables.sum[low];
    return v - (p & tables.place[low]);
  }

  /// What is to be stored, where they differ in the slice.
  [[gnu::always_inline]] static u64 encode(relocation const& r, u64 old, u64 v) noexcept {
    constexpr field f = table::get(K).field;
    u32 const low = low_byte(r);
    return (old & tables.keep[low]) | ((v & ((u64{1} << f.width()) - 1)) >> tables.from[low])
                                          << f.slices[0].to;
  }
};

} // namespace kmodld::reloc
