// SPDX-License-Identifier: MIT
// Library functions on numbers: sorting, bits, random bytes, and the CRC-32s that Linux has built
// in.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <sys/random.h>
#include <vector>

namespace {

using u8 = std::uint8_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

template <class T>
T random_number() {
  T value{};
  (void)getrandom(&value, sizeof value, 0);
  return value;
}

/// First bit at or after `from` whose value is `wanted`, or `count`.
u64 find_bit(const u64* words, u64 count, u64 from, bool wanted) {
  while (from < count && ((words[from / 64] >> (from % 64) & 1) != 0) != wanted)
    ++from;
  return std::min(from, count);
}

/// Reflected CRC, bit by bit.
u32 crc_reflected(u32 crc, const u8* bytes, std::size_t count, u32 polynomial) {
  for (std::size_t i = 0; i < count; ++i) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
  }
  return crc;
}

} // namespace

extern "C" {

// Callers may need to keep the order of the kernel's heap sort only in so far as it is sorted.
void host_sort(void* base, std::size_t count, std::size_t bytes,
               int (*compare)(const void*, const void*), void (*exchange)(void*, void*, int)) {
  auto* first = static_cast<u8*>(base);
  const auto at = [first, bytes](std::size_t i) { return first + i * bytes; };
  const auto swap_elements = [&](std::size_t a, std::size_t b) {
    if (exchange != nullptr)
      exchange(at(a), at(b), static_cast<int>(bytes));
    else
      std::swap_ranges(at(a), at(a) + bytes, at(b));
  };
  const auto sift = [&](std::size_t root, std::size_t end) {
    for (std::size_t child; (child = 2 * root + 1) < end; root = child) {
      if (child + 1 < end && compare(at(child), at(child + 1)) < 0)
        ++child;
      if (compare(at(root), at(child)) >= 0)
        return;
      swap_elements(root, child);
    }
  };
  for (std::size_t i = count / 2; i-- > 0;)
    sift(i, count);
  for (std::size_t end = count; end-- > 1;) {
    swap_elements(0, end);
    sift(0, end);
  }
}

const void* host_bsearch(const void* key, const void* base, std::size_t count, std::size_t bytes,
                         int (*compare)(const void*, const void*)) {
  const auto* first = static_cast<const u8*>(base);
  while (count != 0) {
    const u8* middle = first + count / 2 * bytes;
    const int order = compare(key, middle);
    if (order == 0)
      return middle;
    if (order > 0) {
      first = middle + bytes;
      --count;
    }
    count /= 2;
  }
  return nullptr;
}

u64 host_gcd(u64 a, u64 b) { return std::gcd(a, b); }
u64 host_lcm(u64 a, u64 b) { return std::lcm(a, b); }
u64 host_int_sqrt(u64 value) {
  auto root = static_cast<u64>(std::sqrt(static_cast<double>(value)));
  while (root != 0 && root > value / root)
    --root;
  while ((root + 1) <= value / (root + 1))
    ++root;
  return root;
}

u64 host__find_first_bit(const u64* words, u64 count) { return find_bit(words, count, 0, true); }
u64 host__find_next_bit(const u64* words, u64 count, u64 from) {
  return find_bit(words, count, from, true);
}
u64 host__find_first_zero_bit(const u64* words, u64 count) {
  return find_bit(words, count, 0, false);
}
u64 host__find_next_zero_bit(const u64* words, u64 count, u64 from) {
  return find_bit(words, count, from, false);
}
u64 host__find_last_bit(const u64* words, u64 count) {
  for (u64 i = count; i-- > 0;)
    if ((words[i / 64] >> (i % 64) & 1) != 0)
      return i;
  return count;
}

void host_get_random_bytes(void* to, std::size_t count) {
  auto* at = static_cast<u8*>(to);
  while (count != 0) {
    const ssize_t got = getrandom(at, count, 0);
    if (got <= 0)
      continue;
    at += got;
    count -= static_cast<std::size_t>(got);
  }
}
u8 host_get_random_u8() { return random_number<u8>(); }
std::uint16_t host_get_random_u16() { return random_number<std::uint16_t>(); }
u32 host_get_random_u32() { return random_number<u32>(); }
u64 host_get_random_u64() { return random_number<u64>(); }
int host_wait_for_random_bytes() { return 0; }
bool host_rng_is_initialized() { return true; }

u32 host_crc32_le(u32 crc, const u8* bytes, std::size_t count) {
  return crc_reflected(crc, bytes, count, 0xedb88320);
}
u32 host___crc32c_le(u32 crc, const u8* bytes, std::size_t count) {
  return crc_reflected(crc, bytes, count, 0x82f63b78);
}
u32 host_crc32_be(u32 crc, const u8* bytes, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    crc ^= u32{bytes[i]} << 24;
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc << 1) ^ ((crc >> 31) != 0 ? 0x04c11db7u : 0);
  }
  return crc;
}

} // extern "C"
