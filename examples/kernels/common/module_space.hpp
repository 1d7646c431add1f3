// SPDX-License-Identifier: MIT
// Memory for modules: whole pages in a window above the kernel, which calls reach from it, with an
// unmapped page after each range.
#pragma once

#include "machine.hpp"

namespace kernel::module_space {

inline constexpr u64 first = machine::module_window;
inline constexpr u64 size = u64{64} << 20;
inline constexpr u64 last = first + size - 1;

/// `bytes` bytes, zeroed, readable and writable; `align` is a power of two. 0 if there is no room.
u64 allocate(u64 bytes, u64 align = page_size);
/// Gives the pages of allocate(bytes) back, whatever their rights are by now.
void release(u64 address, u64 bytes);
/// Pages handed out and not returned.
u64 used_pages();

} // namespace kernel::module_space
