// SPDX-License-Identifier: MIT
// The bitmap of physical page frames.
#include "frames.hpp"

namespace kernel {

constinit frame_allocator frames;

void frame_allocator::add(u64 first, u64 last) {
  for (u64 at = page_ceil(first); at < limit && at + page_size <= last; at += page_size)
    release(at);
}

void frame_allocator::reserve(u64 first, u64 last) {
  for (u64 at = page_floor(first); at < limit && at < last; at += page_size) {
    u64 i = at / page_size;
    free_ -= is_free(i);
    bits_[i >> 6] &= ~(u64{1} << (i & 63));
  }
}

u64 frame_allocator::allocate() {
  for (u64 tried = 0; tried < count; ++tried, next_ = (next_ + 1) & (count - 1)) {
    if (is_free(next_)) {
      u64 frame = next_ * page_size;
      reserve(frame, frame + page_size);
      return frame;
    }
  }
  return none;
}

bool frame_allocator::release(u64 frame) {
  u64 i = frame / page_size;
  if (i >= count || is_free(i))
    return false;
  bits_[i >> 6] |= u64{1} << (i & 63);
  ++free_;
  return true;
}

} // namespace kernel
