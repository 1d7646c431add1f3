// SPDX-License-Identifier: MIT
// One section of any architecture and what relocates it, for tests of rule tables.
#pragma once

#include <kmodld/reloc.hpp>

#include <cstring>
#include <vector>

namespace kmodld::test {

template <class Arch>
struct reloc_bench {
  using relocation = typename Arch::relocation;
  using format = typename Arch::format;

  std::vector<std::byte> original = std::vector<std::byte>(64);
  std::vector<std::byte> bytes;
  address place{0x40000000};
  std::vector<relocation> relocations;
  std::vector<u64> values = std::vector<u64>(1);
  std::vector<u8> attributes; ///< empty or one a symbol
  typename Arch::state state{};
  error err{};

  static relocation make(u64 offset, u32 type, u32 symbol, i64 addend) {
    relocation r{};
    r.r_offset = static_cast<typename format::word_type>(offset);
    if constexpr (requires { r.r_type2; }) {
      r.r_sym = symbol;
      r.r_type = static_cast<u8>(type);
    } else if constexpr (format::bits == 64) {
      r.r_info = u64{symbol} << 32 | type;
    } else {
      r.r_info = symbol << 8 | type;
    }
    if constexpr (requires { r.r_addend; })
      r.r_addend = static_cast<typename format::sword_type>(addend);
    return r;
  }
  relocation& add(u64 offset, u32 type, u32 symbol, i64 addend = 0) {
    relocations.push_back(make(offset, type, symbol, addend));
    return relocations.back();
  }
  u32 symbol(u64 value) {
    values.push_back(value);
    return static_cast<u32>(values.size() - 1);
  }
  /// What stands in the object.
  void put(u64 offset, u32 word) {
    elf::field<u32, format::order>::store(&original.at(offset), word);
  }
  u32 word(u64 offset) const { return elf::field<u32, format::order>::load(&bytes.at(offset)); }
  u64 word64(u64 offset) const { return elf::field<u64, format::order>::load(&bytes.at(offset)); }

  section_relocations<relocation> input() { return {bytes, place, original, relocations}; }

  /// The way of a loader, hot loop first; the exact loop alone must say the same.
  template <bool Wide = true>
  errc run() {
    auto const before = state;
    bytes = original;
    err = {};
    errc const code = relocate<Arch, Wide>(input(), {values, attributes, false}, state, err);
    auto const first = bytes;
    error const first_error = err;
    state = before;
    bytes = original;
    err = {};
    // The state may refer to both until the section is done.
    auto const in = input();
    symbol_values const all{values, attributes, false};
    errc again = kmodld::detail::begin_section(in, all, state, err);
    if (again == errc::ok)
      again = reloc::exact_loop<Arch, Wide>{in, all, state, err}();
    if (again == errc::ok)
      again = kmodld::detail::end_section(state, err);
    bool const same = again == code && bytes == first && err.index == first_error.index &&
                      err.number[0] == first_error.number[0] &&
                      err.number[1] == first_error.number[1];
    return same ? code : errc::count_;
  }
};

} // namespace kmodld::test
