// SPDX-License-Identifier: MIT
// The kernel's own page tables (4 levels, 4 KiB pages): itself by section, all memory once more as
// data in the direct map, and whatever is mapped at run time. No page is writable and executable,
// nor is a frame writable through one mapping and executable through another.
#pragma once

#include "boot_info.hpp"
#include "types.hpp"

namespace kernel::paging {

/// Builds the tables and switches to them; low memory is unmapped afterwards. The frame allocator
/// must be filled. The initrd can only be read from then on.
void start(boot_info const& boot);

/// Physical memory as the kernel sees it.
std::byte* direct(u64 physical);

/// Maps one page; false if a page table could not be had or the address is taken.
bool map(u64 address, u64 frame, rights r);
/// Unmaps one page and makes its frame writable data again in the direct map; gives the frame.
u64 unmap(u64 address);
/// Changes the rights of `count` mapped pages, in the direct map accordingly; the TLB is flushed.
bool protect(u64 address, u64 count, rights r);

struct mapping {
  bool present = false;
  u64 frame = 0;
  rights allowed;
};
mapping lookup(u64 address);

struct audit_result {
  u64 pages = 0; ///< mapped, in all
  u64 writable = 0;
  u64 executable = 0;
  u64 both = 0;               ///< by one mapping
  u64 executable_aliased = 0; ///< executable frames that can be written by another mapping
};
/// Walks all page tables.
audit_result audit();

} // namespace kernel::paging
