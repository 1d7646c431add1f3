// SPDX-License-Identifier: MIT
// Relocations in cells of one section, each cell a case: what the object holds, what symbols it
// names, and what is to be thought of its value. A linker and the relocation core are both given
// all of it.
#pragma once

#include <kmodld/reloc.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace kmodld::test::linkers {

using reloc::rule;

/// Where a value lies: what a linker or a kernel may think of it.
enum class lies : u8 { inside, edge, past, misaligned };

/// Reproducible numbers.
struct numbers {
  u64 state = 0x853c49e6748fea9b;
  u64 operator()() noexcept {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
  }
};

struct cell {
  std::string what;
  u32 type = 0;
  lies where = lies::inside;
  u64 offset = 0, size = 0;
  std::size_t first = 0, count = 0; ///< relocations
};

template <class Arch>
class suite {
public:
  using format = typename Arch::format;
  using relocation = typename Arch::relocation;
  static constexpr bool with_addend = !reloc::addend_in_place<relocation>;
  static constexpr u64 word_mask = format::bits == 64 ? ~u64{0} : 0xffffffff;

  struct symbol_record {
    u64 value = 0;
    bool label = false; ///< in the section, else absolute
    u8 type = 0, other = 0;
    u64 size = 0;
  };

  u64 base;
  std::vector<std::byte> bytes;
  std::vector<relocation> relocations;
  std::vector<symbol_record> symbols{1}; ///< by number in the object
  std::vector<cell> cells;
  numbers random;

  explicit suite(u64 at) : base{at} {}

  /// A new cell; its place is the address in the answer. `size` is a multiple of 16.
  u64 begin(u32 type, lies where, std::string what, u64 size = 32) {
    cells.push_back({std::move(what), type, where, bytes.size(), size, relocations.size(), 0});
    bytes.resize(bytes.size() + size);
    return base + cells.back().offset;
  }
  u32 symbol(u64 value, u8 type = 0, u8 other = 0) {
    symbols.push_back({value & word_mask, false, type, other, random() & 0xffff});
    return static_cast<u32>(symbols.size() - 1);
  }
  u32 label(u64 at) {
    symbols.push_back({at & word_mask, true});
    return static_cast<u32>(symbols.size() - 1);
  }
  /// A relocation at an address in the last cell.
  void add(u64 at, u32 type, u32 symbol, u64 addend = 0) {
    relocation r{};
    r.r_offset = static_cast<typename format::word_type>(at - base);
    if constexpr (requires { r.r_type2; }) {
      r.r_sym = symbol;
      if (type < 256) {
        r.r_type = static_cast<u8>(type);
      } else {
        r.r_type = type == Arch::gprel64 ? 12 : 7;
        r.r_type2 = type == Arch::gprel64 ? 18 : 24;
        r.r_type3 = type == Arch::neg_gprel_hi16 ? 5 : type == Arch::neg_gprel_lo16 ? 6 : 0;
      }
    } else if constexpr (format::bits == 64) {
      r.r_info = u64{symbol} << 32 | type;
    } else {
      r.r_info = symbol << 8 | type;
    }
    if constexpr (with_addend)
      r.r_addend = static_cast<typename format::sword_type>(addend);
    relocations.push_back(r);
    ++cells.back().count;
  }

  /// Bytes of the object, in the target's order.
  void put(u64 at, unsigned size, u64 v) {
    for (unsigned i = 0; i < size; ++i) {
      unsigned const shift = 8 * (format::order == elf::byte_order::little ? i : size - 1 - i);
      bytes.at(at - base + i) = static_cast<std::byte>(v >> shift);
    }
  }
  /// A Thumb-2 instruction: the more significant half stands first.
  void put_halves(u64 at, u64 v) {
    put(at, 2, v >> 16);
    put(at + 2, 2, v & 0xffff);
  }
};

/// One bit after the other, as a picture of the field would be read.
inline u64 with_value(reloc::field const& f, u64 old, u64 value) {
  if (f.count == 0)
    return f.bytes == 8 ? value : value & ((u64{1} << 8 * f.bytes) - 1);
  for (unsigned k = 0; k < f.count; ++k)
    for (unsigned i = 0; i < f.slices[k].bits; ++i) {
      unsigned const from = f.slices[k].from + i;
      u64 const bit = from < 64 ? value >> from & 1 : 0;
      unsigned const to = f.slices[k].to + i;
      old = (old & ~(u64{1} << to)) | bit << to;
    }
  return old;
}

inline unsigned lowest_bit(reloc::field const& f) {
  unsigned low = f.count == 0 ? 0 : 64;
  for (unsigned k = 0; k < f.count; ++k)
    low = f.slices[k].from < low ? f.slices[k].from : low;
  return low;
}

inline std::string hex(u64 v) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string s;
  do
    s.insert(s.begin(), digits[v & 15]);
  while ((v >>= 4) != 0);
  return "0x" + s;
}

} // namespace kmodld::test::linkers
