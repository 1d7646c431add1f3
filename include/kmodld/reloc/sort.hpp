// SPDX-License-Identifier: MIT
// Heap sort: in place, O(n log n) on any input, without recursion. Architectures sort relocations
// of which the file's author decides the order.
#pragma once

#include <kmodld/address.hpp>

#include <span>
#include <utility>

namespace kmodld::reloc {

namespace detail {

template <class T, class Less>
void sift_down(std::span<T> heap, std::size_t root, Less const& less) noexcept {
  for (std::size_t child; (child = root * 2 + 1) < heap.size(); root = child) {
    if (child + 1 < heap.size() && less(heap[child], heap[child + 1]))
      ++child;
    if (!less(heap[root], heap[child]))
      return;
    std::swap(heap[root], heap[child]);
  }
}

} // namespace detail

/// Sorts ascending by `less`; equal elements end up in any order.
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
