// SPDX-License-Identifier: MIT
// Allocation exports: kmalloc, vmalloc, pages and caches are all the process's heap, with the
// alignment that the kernel promises (powers of two aligned to themselves up to a page) and a table
// of live blocks.
#include "memory.hpp"

#include "environment.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <unordered_map>

namespace {

using size = std::size_t;
constexpr unsigned gfp_zero = 0x100; // __GFP_ZERO
constexpr size page = 4096;

struct cache {
  size object_size, align;
  void (*constructor)(void*);
};

std::unordered_map<void*, size>& blocks() {
  static std::unordered_map<void*, size> live;
  return live;
}

void* allocate(size bytes, unsigned flags, size align) {
  const size room = (std::max<size>(bytes, 1) + align - 1) & ~(align - 1);
  if (room < bytes)
    return nullptr;
  void* block = std::aligned_alloc(align, room);
  if (block == nullptr)
    return nullptr;
  if ((flags & gfp_zero) != 0)
    std::memset(block, 0, room);
  blocks().emplace(block, bytes);
  return block;
}

void* allocate(size bytes, unsigned flags) {
  const size natural = std::has_single_bit(bytes) ? bytes : 8;
  return allocate(bytes, flags, std::clamp<size>(natural, 8, page));
}

void release(void* block) {
  // ZERO_SIZE_PTR is 16; Linux frees it silently.
  if (reinterpret_cast<std::uintptr_t>(block) <= 16)
    return;
  if (blocks().erase(block) == 0)
    linux_like::oops("kfree of an address that was not allocated");
  std::free(block);
}

void release_wiped(void* block) {
  if (const auto found = blocks().find(block); found != blocks().end())
    explicit_bzero(block, found->second);
  release(block);
}

char* duplicate(const void* from, size length, bool terminate) {
  auto* copy = static_cast<char*>(allocate(length + (terminate ? 1 : 0), 0));
  if (copy == nullptr)
    return nullptr;
  std::memcpy(copy, from, length);
  if (terminate)
    copy[length] = '\0';
  return copy;
}

// Inlined kmalloc of a constant size passes an entry of kmalloc_caches and the size; only the size
// is used.
struct kmalloc_cache_table {
  cache* entries[64];
  kmalloc_cache_table() {
    static cache any{page, 8, nullptr};
    std::fill(std::begin(entries), std::end(entries), &any);
  }
};

} // namespace

extern "C" {

kmalloc_cache_table host_data_kmalloc_caches;

void* host___kmalloc(size bytes, unsigned flags) { return allocate(bytes, flags); }
void* host___kmalloc_node(size bytes, unsigned flags, int) { return allocate(bytes, flags); }
void* host___kmalloc_node_track_caller(size bytes, unsigned flags, int, size) {
  return allocate(bytes, flags);
}
void* host_kmalloc_trace(cache*, unsigned flags, size bytes) { return allocate(bytes, flags); }
void* host_kmalloc_node_trace(cache*, unsigned flags, int, size bytes) {
  return allocate(bytes, flags);
}
void* host_kmalloc_large(size bytes, unsigned flags) { return allocate(bytes, flags, page); }
void* host_kmalloc_large_node(size bytes, unsigned flags, int) {
  return allocate(bytes, flags, page);
}
void host_kfree(void* block) { release(block); }
void host_kfree_sensitive(void* block) { release_wiped(block); }

size host_ksize(void* block) {
  const auto found = blocks().find(block);
  return found == blocks().end() ? 0 : found->second;
}

void* host_krealloc(void* block, size bytes, unsigned flags) {
  if (bytes == 0) {
    release(block);
    return nullptr;
  }
  void* moved = allocate(bytes, flags);
  if (moved != nullptr && block != nullptr) {
    std::memcpy(moved, block, std::min(bytes, host_ksize(block)));
    release(block);
  }
  return moved;
}

void* host_kvmalloc_node(size bytes, unsigned flags, int) { return allocate(bytes, flags); }
void host_kvfree(void* block) { release(block); }
void host_kvfree_sensitive(void* block, size) { release_wiped(block); }
void* host_vmalloc(size bytes) { return allocate(bytes, 0, page); }
void* host_vzalloc(size bytes) { return allocate(bytes, gfp_zero, page); }
void* host_vmalloc_node(size bytes, int) { return allocate(bytes, 0, page); }
void* host_vzalloc_node(size bytes, int) { return allocate(bytes, gfp_zero, page); }
void* host___vmalloc(size bytes, unsigned flags) { return allocate(bytes, flags, page); }
void host_vfree(void* block) { release(block); }

cache* host_kmem_cache_create(const char*, unsigned bytes, unsigned align, unsigned,
                              void (*constructor)(void*)) {
  auto* made = static_cast<cache*>(allocate(sizeof(cache), 0));
  if (made != nullptr)
    *made = {bytes, std::bit_ceil(std::max<size>(align, 8)), constructor};
  return made;
}

void* host_kmem_cache_alloc(const cache* from, unsigned flags) {
  void* object = allocate(from->object_size, flags, from->align);
  if (object != nullptr && from->constructor != nullptr)
    from->constructor(object);
  return object;
}

void* host_kmem_cache_alloc_node(const cache* from, unsigned flags, int) {
  return host_kmem_cache_alloc(from, flags);
}
void host_kmem_cache_free(cache*, void* object) { release(object); }
unsigned host_kmem_cache_size(const cache* of) { return static_cast<unsigned>(of->object_size); }
void host_kmem_cache_destroy(cache* gone) { release(gone); }

void* host___get_free_pages(unsigned flags, unsigned order) {
  return allocate(page << order, flags, page);
}
void* host_get_zeroed_page(unsigned flags) { return allocate(page, flags | gfp_zero, page); }
void host_free_pages(void* block, unsigned) { release(block); }
void* host_alloc_pages_exact(size bytes, unsigned flags) { return allocate(bytes, flags, page); }
void host_free_pages_exact(void* block, size) { release(block); }

void* host_kmemdup(const void* from, size bytes, unsigned) { return duplicate(from, bytes, false); }
char* host_kstrdup(const char* from, unsigned) {
  return from == nullptr ? nullptr : duplicate(from, std::strlen(from), true);
}
char* host_kstrndup(const char* from, size most, unsigned) {
  return from == nullptr ? nullptr : duplicate(from, strnlen(from, most), true);
}
void host___check_object_size(const void*, size, bool) {}

} // extern "C"

linux_like::allocation_count linux_like::live_allocations() {
  allocation_count total{blocks().size(), 0};
  for (const auto& [block, bytes] : blocks())
    total.bytes += bytes;
  return total;
}
