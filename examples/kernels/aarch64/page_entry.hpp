// SPDX-License-Identifier: MIT
// Entries of page tables. Arm ARM, "VMSAv8-64 descriptor formats", 4 KiB pages. Nothing belongs to
// EL0, and all mappings are global.
#pragma once

namespace kernel::page_entry {

inline constexpr u64 present = 1, table_or_page = 2;
inline constexpr u64 device = u64{1} << 2; ///< AttrIndx 1 of MAIR, as boot.S sets it
inline constexpr u64 read_only = u64{1} << 7, shared = u64{3} << 8, accessed = u64{1} << 10;
inline constexpr u64 no_execute = u64{1} << 53, no_user_execute = u64{1} << 54;
inline constexpr u64 frame_bits = 0x0000fffffffff000;

constexpr u64 table(u64 frame) { return frame | present | table_or_page; }
constexpr u64 page(u64 frame, rights r) {
  return frame | present | table_or_page | shared | accessed | no_user_execute |
         (r.write ? 0 : read_only) | (r.execute ? 0 : no_execute) | (r.device ? device : 0);
}
constexpr rights rights_of(u64 page) {
  return {(page & read_only) == 0, (page & no_execute) == 0, (page & device) != 0};
}

} // namespace kernel::page_entry
