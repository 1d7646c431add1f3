// SPDX-License-Identifier: MIT
// Entries of page tables. Intel SDM volume 3, chapter 4.5: 4-level paging.
#pragma once

namespace kernel::page_entry {

inline constexpr u64 present = 1, writable = 2, uncached = 0x10, no_execute = u64{1} << 63;
inline constexpr u64 frame_bits = 0x000ffffffffff000;

constexpr u64 table(u64 frame) { return frame | present | writable; }
constexpr u64 page(u64 frame, rights r) {
  return frame | present | (r.write ? writable : 0) | (r.execute ? 0 : no_execute) |
         (r.device ? uncached : 0);
}
constexpr rights rights_of(u64 page) {
  return {(page & writable) != 0, (page & no_execute) == 0, (page & uncached) != 0};
}

} // namespace kernel::page_entry
