// SPDX-License-Identifier: MIT
// Asking for memory before it is needed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kmodld {

/// Has the line `ahead` bytes behind `p` fetched into the cache. Any address will do: nothing is
/// read.
[[gnu::always_inline]] inline void prefetch_line(void const* p, std::size_t ahead) noexcept {
  __builtin_prefetch(reinterpret_cast<void const*>(reinterpret_cast<std::uintptr_t>(p) + ahead));
}

/// Has `size` bytes from `p` fetched into the cache, as far as the first kilobyte: behind it the
/// processor sees by itself what is read. Inlined by force: a function without effects is one that
/// GCC leaves out.
[[gnu::always_inline]] inline void prefetch(std::byte const* p, std::size_t size) noexcept {
  constexpr std::size_t line = 64, most = 1024;
  for (std::size_t i = 0; i < size && i < most; i += line)
    prefetch_line(p, i);
}

} // namespace kmodld
