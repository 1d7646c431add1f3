// SPDX-License-Identifier: MIT
// A keyed hash of symbol names: multiply and fold, 16 bytes a step.
#pragma once

#include <kmodld/address.hpp>

#include <string_view>

namespace kmodld {

/// Hashes names of any bytes, 16 at a time. The key is kept secret from whoever makes the names:
/// with a known one they could be chosen to collide, and probing becomes linear.
class name_hash {
public:
  explicit constexpr name_hash(u64 seed) noexcept
      : a_{fold(seed ^ mix_1, mix_2)}, b_{fold(seed ^ mix_2, mix_1)} {}

  u64 operator()(std::string_view name) const noexcept {
    char const* p = name.data();
    std::size_t n = name.size();
    u64 state = b_ ^ n;
    for (; n > 16; p += 16, n -= 16)
      state = fold(load<u64>(p) ^ a_, load<u64>(p + 8) ^ state);
    u64 first = 0, second = 0;
    if (name.size() >= 16) {
      first = load<u64>(p + n - 16); // overlaps what the loop has seen
      second = load<u64>(p + n - 8);
    } else if (n >= 8) {
      first = load<u64>(p);
      second = load<u64>(p + n - 8);
    } else if (n >= 4) {
      first = load<u32>(p);
      second = load<u32>(p + n - 4);
    } else if (n > 0) {
      first = load<u8>(p) | u64{load<u8>(p + n / 2)} << 8 | u64{load<u8>(p + n - 1)} << 16;
    }
    return fold(fold(first ^ a_, second ^ state) ^ b_, mix_1);
  }

  /// Both halves of a 128-bit product in one word, the same on every host.
  static constexpr u64 fold(u64 x, u64 y) noexcept {
#if defined(__x86_64__) || defined(__aarch64__) || defined(__powerpc64__)
    __extension__ using u128 = unsigned __int128;
    u128 product = u128{x} * y;
    return static_cast<u64>(product) ^ static_cast<u64>(product >> 64);
#else
    return fold_by_halves(x, y);
#endif
  }
  /// The same from four 32-bit products: elsewhere the wide one may be a call into a library.
  static constexpr u64 fold_by_halves(u64 x, u64 y) noexcept {
    u32 x0 = static_cast<u32>(x), x1 = static_cast<u32>(x >> 32);
    u32 y0 = static_cast<u32>(y), y1 = static_cast<u32>(y >> 32);
    u64 low = u64{x0} * y0, cross = u64{x1} * y0 + (low >> 32);
    u64 middle = u64{x0} * y1 + static_cast<u32>(cross);
    u64 high = u64{x1} * y1 + (cross >> 32) + (middle >> 32);
    return high ^ (middle << 32 | static_cast<u32>(low));
  }

private:
  static constexpr u64 mix_1 = 0x9e3779b97f4a7c15, mix_2 = 0xd1b54a32d192ed03;

  template <class T>
  static T load(char const* p) noexcept {
    T value;
    __builtin_memcpy(&value, p, sizeof value);
    return value;
  }
  u64 a_, b_;
};

} // namespace kmodld
