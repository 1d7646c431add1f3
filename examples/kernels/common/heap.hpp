// SPDX-License-Identifier: MIT
// A heap for what is smaller than a page or lives short: one address-ordered list of free blocks,
// first fit, neighbours merged when a block comes back.
#pragma once

#include "types.hpp"

namespace kernel {

class heap {
public:
  /// Takes `size` bytes at `memory`; both multiples of 16.
  void add_memory(void* memory, u64 size);
  /// `align` is a power of two. nullptr if there is no room.
  void* allocate(u64 size, u64 align = 16);
  /// Accepts nullptr.
  void release(void* memory);
  /// Bytes handed out and not returned, headers included.
  u64 used() const { return used_; }

private:
  // Header of a block; of a used one only `size` holds. Every size is a multiple of 16.
  struct block {
    u64 size;
    block* next;
  };
  static_assert(sizeof(block) == 16);

  void insert(block* freed);

  block* free_ = nullptr;
  u64 used_ = 0;
};

/// The kernel's heap.
extern heap kernel_heap;

} // namespace kernel
