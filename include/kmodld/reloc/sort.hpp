// SPDX-License-Identifier: MIT
// Heap sort: in place, O(n log n) on any input, without recursion. Architectures sort relocations
// of which the file's author decides the order.
//
// It is the bottom-up variant (Wegener 1993) that Linux's sort() is, with the same choice wherever
// elements are equal: arm's PLT depends on the order in which equal relocations come out.
#pragma once

#include <kmodld/address.hpp>

#include <span>
#include <utility>

namespace kmodld::reloc {

namespace detail {

/// The root is smaller than it should be: first the path of larger children down to a leaf (the
/// left one of equals), then back up to where the root belongs (below its equals).
template <class T, class Less>
void sift_down(std::span<T> heap, std::size_t root, Less const& less) noexcept {
  std::size_t at = root;
  while (at * 2 + 2 < heap.size())
    at = at * 2 + (less(heap[at * 2 + 1], heap[at * 2 + 2]) ? 2 : 1);
  if (at * 2 + 2 == heap.size())
    at = at * 2 + 1;
  while (at != root && !less(heap[root], heap[at]))
    at = (at - 1) >> 1;
  for (std::size_t to = at; at != root;) {
    at = (at - 1) >> 1;
    std::swap(heap[at], heap[to]);
  }
}

} // namespace detail

/// Sorts ascending by `less`; equal elements end up in the order that Linux's sort() gives them.
template <class T, class Less>
void sort(std::span<T> all, Less const& less) noexcept {
  for (std::size_t i = all.size() / 2; i-- != 0;)
    detail::sift_down(all, i, less);
  for (std::size_t n = all.size(); n > 1; --n) {
    std::swap(all[0], all[n - 1]);
    detail::sift_down(all.first(n - 1), 0, less);
  }
}

} // namespace kmodld::reloc
