// SPDX-License-Identifier: MIT
// First fit over a bitmap of the window's pages.
#include "module_space.hpp"
#include "frames.hpp"
#include "paging.hpp"
#include "string.hpp"

namespace kernel::module_space {
namespace {

constexpr u64 page_count = size / page_size;
constinit u64 taken[page_count / 64] = {};
constinit u64 used = 0;
constinit u64 start = 0; // the page to look from

bool is_taken(u64 page) { return (taken[page >> 6] >> (page & 63) & 1) != 0; }

// The first of `count` free pages that have a free page before and after them.
u64 find_free(u64 count, u64 step) {
  for (u64 page = (start + step - 1) & ~(step - 1); page + count < page_count; page += step) {
    u64 i = 0;
    if (page != 0 && is_taken(page - 1))
      continue;
    while (i <= count && !is_taken(page + i))
      ++i;
    if (i > count)
      return page;
  }
  return page_count;
}

void unmap_pages(u64 address, u64 count) {
  for (u64 at = address; count != 0; --count, at += page_size) {
    frames.release(paging::unmap(at));
    u64 page = (at - first) / page_size;
    taken[page >> 6] &= ~(u64{1} << (page & 63));
    --used;
  }
}

} // namespace

u64 allocate(u64 bytes, u64 align) {
  if (bytes == 0 || bytes > size || align > size)
    return 0;
  u64 count = pages_for(bytes);
  u64 page = find_free(count, align <= page_size ? 1 : align / page_size);
  if (page == page_count)
    return 0;
  u64 address = first + page * page_size;
  for (u64 done = 0; done < count; ++done) {
    u64 frame = frames.allocate();
    u64 at = address + done * page_size;
    if (frame == frame_allocator::none || !paging::map(at, frame, read_write)) {
      frames.release(frame);
      unmap_pages(address, done);
      return 0;
    }
    taken[(page + done) >> 6] |= u64{1} << ((page + done) & 63);
    ++used;
  }
  memset(reinterpret_cast<void*>(address), 0, count * page_size);
  return address;
}

void release(u64 address, u64 bytes) { unmap_pages(address, pages_for(bytes)); }

void start_at(u64 offset) { start = pages_for(offset); }

u64 used_pages() { return used; }

} // namespace kernel::module_space
