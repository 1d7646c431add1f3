// SPDX-License-Identifier: MIT
// GOT slots by the address that they hold: one for each address, found again by it. The file's
// author chooses the addresses, so they are hashed with a seed.
#pragma once

#include <kmodld/error.hpp>

#include <bit>

namespace kmodld::reloc {

/// Spreads the bits of a number.
constexpr u64 mixed(u64 v, u64 seed) noexcept {
  v = (v ^ seed) * 0x9e3779b97f4a7c15;
  v = (v ^ v >> 32) * 0xd6e8feb86659fd93;
  return v ^ v >> 32;
}

/// Size of an open-addressing table for `count` entries: a power of two, never more than half full.
constexpr u64 hash_slots_for(u64 count) noexcept { return std::bit_ceil(count * 2); }

/// Consecutive words of the target; they are filled by need, in the order of first use.
template <class Format>
struct address_slots {
  static constexpr u64 slot_size = sizeof(typename Format::word);

  u32 room = 0, used = 0;
  std::byte* host = nullptr;
  address target;
  /// hash_slots_for(room) zeroed words: one more than a slot's number.
  std::span<u32> index;

  u64 value(u32 n) const noexcept { return Format::word::load(host + u64{n} * slot_size); }
  address slot(u32 n) const noexcept { return target + u64{n} * slot_size; }

  /// The number of the slot that holds `wanted`, made if there is none (`fresh`). reloc_no_slot if
  /// all are taken.
  errc find(u64 wanted, u64 seed, u32& n, bool& fresh) noexcept {
    auto const word = static_cast<typename Format::word_type>(wanted);
    if (room == 0)
      return errc::reloc_no_slot;
    std::size_t const mask = index.size() - 1;
    std::size_t i = static_cast<std::size_t>(mixed(word, seed)) & mask;
    for (; index[i] != 0; i = (i + 1) & mask)
      if (value(index[i] - 1) == word) {
        n = index[i] - 1;
        fresh = false;
        return errc::ok;
      }
    if (used == room)
      return errc::reloc_no_slot;
    n = used++;
    index[i] = used;
    fresh = true;
    Format::word::store(host + u64{n} * slot_size, word);
    return errc::ok;
  }
};

} // namespace kmodld::reloc
