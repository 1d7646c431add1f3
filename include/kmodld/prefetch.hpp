// SPDX-License-Identifier: MIT
// Asking for memory before it is needed.
#pragma once

#include <cstddef>

namespace kmodld {

/// Has `size` bytes from `p` fetched into the cache, as far as the first kilobyte: behind it the
/// processor sees by itself what is read. Any address will do; nothing is read. Inlined by force:
/// a function without effects is one that GCC leaves out.
[[gnu::always_inline]] inline void prefetch(std::byte const* p, std::size_t size) noexcept {
  constexpr std::size_t line = 64, most = 1024;
  for (std::size_t i = 0; i < size && i < most; i += line)
    __builtin_prefetch(p + i);
}

} // namespace kmodld
