// SPDX-License-Identifier: MIT
// What modules have allocated and not given back, for tests of leaks.
#pragma once

#include <cstddef>

namespace linux_like {

struct allocation_count {
  std::size_t blocks, bytes;
};
/// Live allocations of kernel code (kmalloc, vmalloc, pages, caches).
allocation_count live_allocations();

} // namespace linux_like
