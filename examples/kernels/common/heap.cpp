// SPDX-License-Identifier: MIT
// First-fit allocation with merging.
#include "heap.hpp"
#include "string.hpp"

namespace kernel {

constinit heap kernel_heap;

void heap::add_memory(void* memory, u64 size) {
  auto* all = static_cast<block*>(memory);
  all->size = size;
  insert(all);
}

void* heap::allocate(u64 size, u64 align) {
  if (size > (u64{1} << 40) || align > (u64{1} << 40))
    return nullptr;
  if (align < sizeof(block))
    align = sizeof(block);
  u64 whole = ((size == 0 ? 1 : size) + 15) / 16 * 16 + sizeof(block);
  for (block** link = &free_; *link != nullptr; link = &(*link)->next) {
    block* found = *link;
    u64 base = reinterpret_cast<u64>(found);
    u64 start = ((base + sizeof(block) + align - 1) & ~(align - 1)) - sizeof(block);
    u64 front = start - base;
    if (front > found->size || found->size - front < whole)
      continue;
    u64 rest = found->size - front - whole;
    block* after = found->next;
    if (rest != 0) {
      auto* tail = reinterpret_cast<block*>(start + whole);
      *tail = {rest, after};
      after = tail;
    }
    if (front != 0) {
      *found = {front, after};
    } else {
      *link = after;
    }
    auto* taken = reinterpret_cast<block*>(start);
    taken->size = whole;
    used_ += whole;
    return taken + 1;
  }
  return nullptr;
}

void heap::release(void* memory) {
  if (memory == nullptr)
    return;
  block* freed = static_cast<block*>(memory) - 1;
  used_ -= freed->size;
  // Whoever still reads it shall notice.
  memset(memory, 0x5a, freed->size - sizeof(block));
  insert(freed);
}

void heap::insert(block* freed) {
  block** link = &free_;
  block* before = nullptr;
  while (*link != nullptr && *link < freed) {
    before = *link;
    link = &before->next;
  }
  freed->next = *link;
  *link = freed;
  auto merge = [](block* low) {
    if (low->next != nullptr &&
        reinterpret_cast<char*>(low) + low->size == reinterpret_cast<char*>(low->next)) {
      low->size += low->next->size;
      low->next = low->next->next;
    }
  };
  merge(freed);
  if (before != nullptr)
    merge(before);
}

} // namespace kernel
