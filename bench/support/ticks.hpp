// SPDX-License-Identifier: MIT
// A clock that is cheap enough for one small module at a time, and emptying the caches of what is
// about to be measured.
#pragma once

#include <kmodld/address.hpp>

#include <chrono>
#include <thread>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace kmodld::bench {

inline u64 ticks() {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return static_cast<u64>(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

inline double seconds_per_tick() {
  static double const value = [] {
    auto const start = std::chrono::steady_clock::now();
    u64 const first = ticks();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    u64 const last = ticks();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() /
           static_cast<double>(last - first);
  }();
  return value;
}

inline constexpr std::size_t cache_line = 64;

/// After this the bytes are in no cache.
inline void flush(void const* p, std::size_t size) {
  for (std::size_t i = 0; i < size; i += cache_line) {
    char const* const line = static_cast<char const*>(p) + i;
#if defined(__x86_64__)
    _mm_clflush(line);
#elif defined(__aarch64__)
    asm volatile("dc civac, %0" : : "r"(line) : "memory");
#else
    asm volatile("" : : "r"(line) : "memory");
#endif
  }
#if defined(__x86_64__)
  _mm_mfence();
#endif
}

/// Reads a byte of each line, so that the caches have them as far as they are large enough.
inline void touch(void const* p, std::size_t size) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < size; i += cache_line)
    sum += static_cast<unsigned char const*>(p)[i];
  asm volatile("" : : "r"(sum));
}

} // namespace kmodld::bench
