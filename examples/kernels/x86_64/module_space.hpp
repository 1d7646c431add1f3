// SPDX-License-Identifier: MIT
// Memory for modules: whole pages in a window above the kernel, close enough for its 32-bit
// relocations, with an unmapped page after each range.
#pragma once

#include "../common/types.hpp"

namespace kernel::module_space {

inline constexpr u64 first = 0xffffffffa0000000;
inline constexpr u64 size = u64{64} << 20;
inline constexpr u64 last = first + size - 1;

/// `bytes` bytes, zeroed, readable and writable; `align` is a power of two. 0 if there is no room.
u64 allocate(u64 bytes, u64 align = page_size);
/// Gives the pages of allocate(bytes) back, whatever their rights are by now.
void release(u64 address, u64 bytes);
/// Pages handed out and not returned.
u64 used_pages();

} // namespace kernel::module_space
