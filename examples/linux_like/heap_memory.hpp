// SPDX-License-Identifier: MIT
// Allocator policy: memory of the process, where nothing will run.
#pragma once

#include <kmodld/address.hpp>
#include <kmodld/policy/allocator.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace linux_like {

/// Of the export table, apart from the modules', so that their count can return to zero; and of
/// links, which run nothing.
struct heap_memory {
  kmodld::memory_status allocate(const kmodld::memory_request& request,
                                 kmodld::region& out) noexcept {
    const auto align = static_cast<std::size_t>(std::max<kmodld::u64>(request.align, 16));
    const std::size_t size = kmodld::round_up(static_cast<std::size_t>(request.size), align);
    void* memory = std::aligned_alloc(align, size);
    if (memory == nullptr)
      return kmodld::memory_status::no_room;
    std::memset(memory, 0, size);
    out = {{reinterpret_cast<std::uintptr_t>(memory)}, static_cast<std::byte*>(memory), size};
    return kmodld::memory_status::ok;
  }
  void release(kmodld::memory_kind, kmodld::region given) noexcept { std::free(given.host); }
};
static_assert(kmodld::allocator_policy<heap_memory>);

} // namespace linux_like
