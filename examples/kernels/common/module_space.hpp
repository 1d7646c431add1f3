// SPDX-License-Identifier: MIT
// Memory for modules: whole pages in a window above the kernel, the lowest that are free, with an
// unmapped page after each range.
#pragma once

#include "machine.hpp"

namespace kernel::module_space {

inline constexpr u64 first = machine::module_window;
inline constexpr u64 size = machine::module_window_size;
inline constexpr u64 last = first + size - 1;

/// `bytes` bytes, zeroed, readable and writable; `align` is a power of two. 0 if there is no room.
u64 allocate(u64 bytes, u64 align = page_size);
/// Gives the pages of allocate(bytes) back, whatever their rights are by now.
void release(u64 address, u64 bytes);
/// From now on pages are given from this offset in the window on.
void start_at(u64 offset);
/// Pages handed out and not returned.
u64 used_pages();

} // namespace kernel::module_space
