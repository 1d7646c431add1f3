// SPDX-License-Identifier: MIT
// Physical page frames: one bit each. Frames are named by their physical address.
#pragma once

#include "types.hpp"

namespace kernel {

class frame_allocator {
public:
  /// Physical memory above this is left alone.
  static constexpr u64 limit = u64{2} << 30;
  static constexpr u64 none = ~u64{0};

  /// At first every frame is reserved. Gives [first, last) free, whole frames only.
  void add(u64 first, u64 last);
  /// Takes [first, last) out again, partly covered frames included.
  void reserve(u64 first, u64 last);
  /// The physical address of a free frame, its content arbitrary; `none` if there is none left.
  u64 allocate();
  /// False if the frame was free already.
  bool release(u64 frame);

  u64 free_count() const { return free_; }

private:
  static constexpr u64 count = limit / page_size;

  bool is_free(u64 i) const { return (bits_[i >> 6] >> (i & 63) & 1) != 0; }

  u64 bits_[count / 64] = {}; // set: free
  u64 free_ = 0;
  u64 next_ = 0;
};

extern frame_allocator frames;

} // namespace kernel
