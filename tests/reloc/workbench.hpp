// SPDX-License-Identifier: MIT
// One section of x86-64 and what relocates it, for tests of the relocation core; and what the psABI
// says must come out, computed in 128 bits by nothing of kmodld's.
#pragma once

#include <kmodld/arch/x86_64.hpp>
#include <kmodld/reloc.hpp>

#include <cstring>
#include <optional>
#include <vector>

namespace kmodld::test {

__extension__ using wide_int = __int128;

/// An x86-64 relocation as the psABI has it: bytes at the place, whether P is subtracted, and the
/// values that are allowed.
struct plain_type {
  u32 type;
  unsigned bytes;
  bool relative;
  wide_int low, high;
  bool linux_type; ///< Linux accepts it, and refuses a place that is not zero
};

inline constexpr wide_int two_to(int n) { return wide_int{1} << n; }

inline constexpr plain_type plain_types[] = {
    {1, 8, false, -two_to(63), two_to(64) - 1, true},
    {2, 4, true, -two_to(31), two_to(31) - 1, true},
    {4, 4, true, -two_to(31), two_to(31) - 1, true},
    {10, 4, false, 0, two_to(32) - 1, true},
    {11, 4, false, -two_to(31), two_to(31) - 1, true},
    {12, 2, false, -two_to(15), two_to(16) - 1, false},
    {13, 2, true, -two_to(15), two_to(15) - 1, false},
    {14, 1, false, -two_to(7), two_to(8) - 1, false},
    {15, 1, true, -two_to(7), two_to(7) - 1, false},
    {24, 8, true, -two_to(63), two_to(64) - 1, true},
};

inline plain_type const* plain(u32 type) {
  for (plain_type const& t : plain_types)
    if (t.type == type)
      return &t;
  return nullptr;
}

/// Little-endian bytes at an offset.
inline u64 read_bytes(std::vector<std::byte> const& from, u64 offset, unsigned bytes) {
  u64 v = 0;
  for (unsigned i = bytes; i-- != 0;)
    v = v << 8 | std::to_integer<u64>(from.at(offset + i));
  return v;
}

struct workbench {
  using arch = arch::x86_64;
  using relocation = arch::relocation;

  std::vector<std::byte> original = std::vector<std::byte>(64);
  std::vector<std::byte> bytes;
  address place{0x40000000};
  std::vector<relocation> relocations;
  std::vector<u64> values = std::vector<u64>(1);
  std::vector<u8> attributes;
  bool unresolved_weak = false;
  arch::state state{};
  error err{};

  static relocation make(u64 offset, u32 type, u32 symbol, i64 addend) {
    relocation r;
    r.r_offset = offset;
    r.r_info = u64{symbol} << 32 | type;
    r.r_addend = addend;
    return r;
  }
  workbench& add(u64 offset, u32 type, u32 symbol, i64 addend = 0) {
    relocations.push_back(make(offset, type, symbol, addend));
    return *this;
  }
  u32 symbol(u64 value) {
    values.push_back(value);
    return static_cast<u32>(values.size() - 1);
  }

  section_relocations<relocation> input() { return {bytes, place, original, relocations}; }
  symbol_values symbols() const { return {values, attributes, unresolved_weak}; }

  /// The way of a loader: hot loop first.
  template <bool Wide = true>
  errc run() {
    bytes = original;
    err = {};
    return relocate<arch, Wide>(input(), symbols(), state, err);
  }
  /// The exact loop alone.
  template <bool Wide = true>
  errc run_exact() {
    bytes = original;
    err = {};
    auto const in = input();
    auto const s = symbols();
    return reloc::exact_loop<arch, Wide>{in, s, state, err}();
  }
  u64 word(u64 offset, unsigned size) const { return read_bytes(bytes, offset, size); }
};

} // namespace kmodld::test
