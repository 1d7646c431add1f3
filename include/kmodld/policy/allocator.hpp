// SPDX-License-Identifier: MIT
// Allocator policy: where the memory of modules comes from.
#pragma once

#include <kmodld/address.hpp>

#include <concepts>

namespace kmodld {

/// What a piece of memory is for. `core` and `init` hold all kinds of sections in one run, split by
/// page ranges (Linux before 6.4); the next seven are Linux's since 6.4, in its order; `percpu` is
/// the template's size in the host's per-CPU area; `record` holds what lives as long as the module,
/// `scratch` what lives as long as the load.
enum class memory_kind : u8 {
  text,
  data,
  rodata,
  ro_after_init,
  init_text,
  init_data,
  init_rodata,
  core,
  init,
  record,
  scratch,
};

/// A wish for memory. `size` > 0 bytes, `align` a power of two. For kinds up to `init` the whole
/// region must lie in `reach` and begin on a page. Requests for `record` and `scratch` are many and
/// small and come with the lock held, too; the loader uses their host pointer, a charp parameter
/// the target of its record.
struct memory_request {
  memory_kind kind;
  u64 size;
  u64 align;
  reach_window reach;
  bool zeroed = true; ///< if not, the loader writes what has to be zero itself
};

/// No room and out of reach are different answers: the second may be mended by another window.
enum class memory_status : u8 { ok, no_room, out_of_reach };

/// A host's memory. The loader promises: every region it got is released exactly once, on every
/// path. It does not restore permissions first: the allocator gave the memory out as read-write,
/// the protector may have changed that. Kinds up to `init` come and go without the lock.
template <class A>
concept allocator_policy =
    requires(A& a, memory_request const& request, region& out, region given) {
      // On ok, `out` is zero-filled unless the request says otherwise, writable through out.host,
      // and at least request.size bytes long; out.size is what release() gets back. out.zero may
      // be set where the memory is zero without having been asked to be.
      { a.allocate(request, out) } noexcept -> std::same_as<memory_status>;
      // `given` is what allocate() answered for a request of this kind. Never fails.
      { a.release(memory_kind{}, given) } noexcept -> std::same_as<void>;
    };

/// The least that satisfies the concept.
struct allocator_archetype {
  memory_status allocate(memory_request const&, region&) noexcept { return memory_status::no_room; }
  void release(memory_kind, region) noexcept {}
};
static_assert(allocator_policy<allocator_archetype>);

/// The null model: has no memory, so that every load ends with ENOMEM.
using no_memory_allocator = allocator_archetype;

} // namespace kmodld
