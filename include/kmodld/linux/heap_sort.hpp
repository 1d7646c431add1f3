// SPDX-License-Identifier: MIT
// Heap sort of things that are exchanged by their numbers: entries with relative fields change when
// they move. In place, O(n log n) on any input, without recursion.
#pragma once

#include <kmodld/address.hpp>

namespace kmodld {

/// Sorts n things ascending: all.less(a, b) compares and all.exchange(a, b), a < b, swaps the a-th
/// with the b-th. What is sorted stays as it is; equal ones end up in any order otherwise.
template <class All>
void heap_sort(All& all, u32 n) noexcept {
  u32 sorted = 1;
  while (sorted < n && !all.less(sorted, sorted - 1))
    ++sorted;
  if (sorted >= n)
    return;
  // First a heap is made, from the last parent to the root; then the root, which is the largest,
  // goes to the end, and what came in its place sinks.
  for (u32 parent = n >> 1; n > 1;) {
    if (parent != 0)
      --parent;
    else
      all.exchange(0, --n);
    for (u32 at = parent;;) {
      u64 const child = u64{at} * 2 + 1;
      if (child >= n)
        break;
      auto larger = static_cast<u32>(child);
      if (child + 1 < n && all.less(larger, larger + 1))
        ++larger;
      if (!all.less(at, larger))
        break;
      all.exchange(at, larger);
      at = larger;
    }
  }
}

} // namespace kmodld
