// SPDX-License-Identifier: MIT
// Measures how deep a piece of work goes into the stack: paints what lies below, looks afterwards.
#pragma once

#include "types.hpp"

namespace kernel {

class stack_meter {
public:
  /// Paints from `bottom`, the lowest byte of the stack (a multiple of 8), to a little below the
  /// caller's frame.
  [[gnu::noinline]] explicit stack_meter(char* bottom)
      : bottom_{reinterpret_cast<u64 volatile*>(bottom)},
        top_{static_cast<u64 volatile*>(__builtin_frame_address(0)) - slack} {
    for (u64 volatile* at = bottom_; at < top_; ++at)
      *at = paint;
  }

  /// Bytes below the frame of the constructor that were written since, an interrupt's included.
  u64 depth() const {
    u64 volatile* at = bottom_;
    while (at < top_ && *at == paint)
      ++at;
    return static_cast<u64>(top_ + slack - at) * sizeof(u64);
  }

private:
  static constexpr u64 paint = 0x5ac5ac5ac5ac5ac5;
  static constexpr u64 slack = 8; ///< words for what the constructor itself saves; counted as used

  u64 volatile* bottom_;
  u64 volatile* top_;
};

} // namespace kernel
