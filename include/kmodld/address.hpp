// SPDX-License-Identifier: MIT
// Target addresses and the regions of memory that hold a module.
//
// An address is where the module will run; a pointer is where the loader writes. In a kernel
// they coincide, for a hypervisor that fills guest memory or a cross linker they do not, so
// they are two types and a region carries both.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace kmodld {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i16 = std::int16_t;
using i32 = std::int32_t;
using i64 = std::int64_t;

/// An address of the target, in bytes; always 64 bits wide, also for 32-bit targets, so that one
/// type serves every architecture on every host. Arithmetic wraps like the target's.
struct address {
  u64 value = 0;

  constexpr explicit operator bool() const noexcept { return value != 0; }
  friend constexpr auto operator<=>(address, address) noexcept = default;
  friend constexpr address operator+(address a, u64 n) noexcept { return {a.value + n}; }
  friend constexpr u64 operator-(address a, address b) noexcept { return a.value - b.value; }
};

/// Memory of a module: `size` bytes that the module sees at `target` and the loader writes through
/// `host`. A region of size 0 has no memory behind it.
struct region {
  address target;
  std::byte* host = nullptr;
  u64 size = 0;
  /// All bytes were zero when the allocator gave it: the loader does not make them so once more.
  bool zero = false;

  constexpr bool contains(address a) const noexcept { return a - target < size; }
  /// The host pointer of a target address inside the region.
  constexpr std::byte* at(address a) const noexcept { return host + (a - target); }
};

/// A window of target addresses, both ends included.
struct reach_window {
  address first{0};
  address last{~u64{0}};

  /// Whether `size` bytes (at least one) from `a` lie inside.
  constexpr bool holds(address a, u64 size) const noexcept {
    return a >= first && a <= last && size - 1 <= last - a;
  }
  constexpr bool empty() const noexcept { return first > last; }
};

/// Rounds `n` up to a multiple of `align`, a power of two; wraps like the sum does.
template <class T>
constexpr T round_up(T n, T align) noexcept {
  return static_cast<T>((n + (align - 1)) & ~(align - 1));
}

constexpr bool is_power_of_two(u64 n) noexcept { return n != 0 && (n & (n - 1)) == 0; }

} // namespace kmodld
