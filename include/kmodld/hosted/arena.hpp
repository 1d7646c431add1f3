// SPDX-License-Identifier: MIT
// Allocator: the memory of modules in one reserved range of the process.
//
// The range is cut into chunks (2 MiB, the size of a huge page). A sub-arena for each kind of
// memory takes chunks as it needs them, so that text lies with text and data with data: few
// mappings, and protecting many modules is few calls. Empty chunks go back to the common pool.
#pragma once

#include <kmodld/hosted/page_permissions.hpp>
#include <kmodld/hosted/page_pool.hpp>
#include <kmodld/hosted/placement.hpp>
#include <kmodld/hosted/spinning_mutex.hpp>
#include <kmodld/policy/allocator.hpp>

#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <unistd.h>

namespace kmodld::hosted {

struct arena_options {
  /// Of the range; only what is used costs memory, but for `populate`. At most half of the
  /// addresses, and fewer than 2^32 - 1 pages: else the arena is not valid().
#if defined(__x86_64__)
  u64 size = u64{256} << 20;
#else
  u64 size = u64{64} << 20;
#endif
  placement where = placement::native();
  bool guard_pages = false; ///< an inaccessible page behind every region
  bool huge_pages = true;
  /// The system gives all of `size` at once, so that no load waits for a page. valid() is false if
  /// it does not want to.
  bool populate = false;
  /// A second, always writable mapping of the whole range at another place, for patching code that
  /// other threads execute (mprotect.hpp).
  bool second_mapping = false;
};

/// For any number of threads. `record` and `scratch` come from the C heap.
class arena {
public:
  /// Reserves the range; valid() tells whether that succeeded.
  arena() : arena{arena_options{}} {}
  explicit arena(arena_options const& options)
      : page_size_{static_cast<u64>(::sysconf(_SC_PAGESIZE))},
        page_shift_{static_cast<u8>(std::countr_zero(page_size_))}, guard_{options.guard_pages},
        chunk_{chunk_for(options.size)}, size_{round_up(options.size, chunk_)},
        base_{reserve(options)},
        pool_{base_ == nullptr ? 0 : in_pages(size_), target(base_) >> page_shift_},
        permissions_{base_, page_size_, pool_.pages()},
        state_{static_cast<u8*>(std::calloc(pool_.pages(), 1))} {
    if (options.populate && valid())
      populate();
  }
  arena(arena const&) = delete;
  arena& operator=(arena const&) = delete;
  ~arena() {
    unmap(base_);
    unmap(alias_);
  }

  bool valid() const noexcept {
    return pool_.pages() != 0 && permissions_.valid() && state_ != nullptr && !unpopulated_;
  }
  /// Of the whole range.
  region range() const noexcept { return {{target(base_)}, base_, size_}; }
  u64 page_size() const noexcept { return page_size_; }

  /// no_room: even the whole range has no place for it. out_of_reach: another window has, or the
  /// window could not hold it if the arena were empty.
  memory_status allocate(memory_request const& request, region& out) noexcept {
    if (request.kind > memory_kind::init)
      return allocate_small(request, out);
    if (!valid() || request.size == 0 || request.size > size_ || request.align > size_)
      return memory_status::no_room;
    page const pages = in_pages(request.size + page_size_ - 1);
    u64 align = request.align > page_size_ ? request.align >> page_shift_ : 1;
    page_pool::wish everywhere{pages + guard_, static_cast<page>(align), 0, pool_.pages()};
    page_pool::wish within = everywhere;
    clip(request.reach, within);
    if (within.first + u64{within.count} > within.last)
      return memory_status::out_of_reach;

    std::lock_guard hold{mutex_};
    page first = take(within, 1 + static_cast<unsigned>(request.kind));
    if (first == page_pool::none)
      return pool_.could_take(everywhere) ? memory_status::out_of_reach : memory_status::no_room;
    bool zero = true;
    if (!make_ready(first, pages, request.zeroed, zero)) {
      give_back(first);
      return memory_status::no_room;
    }
    std::byte* host = base_ + first * page_size_;
    out = {{target(host)}, host, pages * page_size_, zero};
    count(request.kind, out.size);
    return memory_status::ok;
  }

  /// Whatever permissions the memory has, it is not executable afterwards; where the system refuses
  /// that (RLIMIT_DATA, too many mappings), nobody gets the memory before it grants it. Releasing
  /// what is not allocated ends the program: going on would hand memory out twice.
  void release(memory_kind kind, region given) noexcept {
    if (kind > memory_kind::init) {
      count(kind, 0 - given.size);
      std::free(given.host);
      return;
    }
    std::lock_guard hold{mutex_};
    u64 offset = static_cast<u64>(given.host - base_);
    if (offset >= size_ || (offset & (page_size_ - 1)) != 0 || !pool_.taken(in_pages(offset)))
      std::abort();
    count(kind, 0 - given.size);
    page const first = in_pages(offset);
    take_back(first, pool_.count(first));
    give_back(first);
  }

  /// Changes permissions of the arena's own memory, for a protector: at once, or when settle() is
  /// called. Whole pages. 0 or an errno.
  int protect(region const& memory, permission allowed, bool at_once) noexcept {
    std::lock_guard hold{mutex_};
    page const first = in_pages(memory.target.value - target(base_));
    page const pages = in_pages(memory.size);
    if (at_once)
      return permissions_.set(first, pages, page_permissions::from(allowed));
    permissions_.want(first, pages, page_permissions::from(allowed));
    return 0;
  }
  int settle() noexcept {
    std::lock_guard hold{mutex_};
    return permissions_.settle();
  }
  bool holds(region const& memory) const noexcept {
    u64 const offset = memory.target.value - target(base_);
    return offset < size_ && memory.size <= size_ - offset;
  }
  /// From now on permissions change by protect() alone, so that the arena knows them.
  void knows_permissions() noexcept { told_ = true; }

  /// Bytes given out and not yet released.
  u64 in_use(memory_kind kind) const noexcept {
    return in_use_[static_cast<std::size_t>(kind)].load(std::memory_order_relaxed);
  }
  u64 in_use() const noexcept {
    u64 sum = 0;
    for (auto const& n : in_use_)
      sum += n.load(std::memory_order_relaxed);
    return sum;
  }

  /// The second mapping of `size` bytes at `a`; null if the arena has none or they are not its own.
  std::byte* writable(address a, u64 size) const noexcept {
    u64 offset = a.value - target(base_);
    return alias_ == nullptr || offset >= size_ || size > size_ - offset ? nullptr
                                                                         : alias_ + offset;
  }

  /// Gives the memory of all free pages back to the system.
  void trim() noexcept {
    std::lock_guard hold{mutex_};
    for (page p = 0, end; p < pool_.pages(); p = end + 1) {
      for (end = p; end < pool_.pages() && (state_[end] & (used | given)) == given; ++end)
        state_[end] &= static_cast<u8>(~(dirty | given));
      // MADV_REMOVE asks for a writable mapping, which the second one always is.
      std::byte* const view = alias_ == nullptr ? base_ : alias_;
      if (end != p && ::madvise(view + p * page_size_, bytes(end - p),
                                alias_ == nullptr ? MADV_DONTNEED : MADV_REMOVE) != 0)
        for (page q = p; q < end; ++q)
          state_[q] |= dirty | given;
    }
  }

private:
  using page = page_pool::page;
  using access = page_permissions::access;
  /// Bits of a page's state.
  static constexpr u8 dirty = 1, ///< was given out, so it may be other than zero
      used = 2, given = 4;       ///< the system may have given memory for it

  /// Divisions by what is only known at run time would be seen in every load.
  page in_pages(u64 bytes) const noexcept { return static_cast<page>(bytes >> page_shift_); }
  std::size_t bytes(page pages) const noexcept {
    return static_cast<std::size_t>(pages * page_size_);
  }
  static u64 target(std::byte* p) noexcept { return reinterpret_cast<std::uintptr_t>(p); }

  /// Small ranges get small chunks, lest one kind take all.
  u64 chunk_for(u64 size) const noexcept {
    u64 chunk = u64{2} << 20;
    while (chunk > page_size_ && size / chunk < 16)
      chunk /= 2;
    return chunk;
  }

  std::byte* reserve(arena_options const& options) noexcept {
    // Within half of the addresses, so that distances are pointers' differences; pages have numbers
    // of 32 bits.
    if (size_ > PTRDIFF_MAX || size_ >> page_shift_ >= page_pool::none)
      return nullptr;
    int fd = options.second_mapping ? ::memfd_create("kmodld", MFD_CLOEXEC) : -1;
    if (options.second_mapping && (fd < 0 || ::ftruncate(fd, static_cast<off_t>(size_)) != 0)) {
      if (fd >= 0)
        ::close(fd);
      return nullptr;
    }
    int flags = (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED) | MAP_NORESERVE;
    void* p = map_near(options.where, size_, chunk_, PROT_NONE, flags, fd);
    if (fd >= 0) {
      void* second = p == nullptr ? MAP_FAILED
                                  : ::mmap(nullptr, static_cast<std::size_t>(size_),
                                           PROT_READ | PROT_WRITE, flags, fd, 0);
      ::close(fd);
      if (second == MAP_FAILED) {
        unmap(static_cast<std::byte*>(p));
        return nullptr;
      }
      alias_ = static_cast<std::byte*>(second);
    }
    if (p != nullptr && options.huge_pages)
      ::madvise(p, static_cast<std::size_t>(size_), MADV_HUGEPAGE); // a wish only
    return static_cast<std::byte*>(p);
  }
  void unmap(std::byte* p) noexcept {
    if (p != nullptr)
      ::munmap(p, static_cast<std::size_t>(size_));
  }

  void populate() noexcept {
    unpopulated_ = permissions_.set(0, pool_.pages(), access::read_write) != 0;
    for (page p = 0; p < pool_.pages() && !unpopulated_; ++p) {
      *static_cast<std::byte volatile*>(base_ + p * page_size_) = std::byte{0};
      if (alias_ != nullptr)
        static_cast<void>(*static_cast<std::byte volatile*>(alias_ + p * page_size_));
      state_[p] |= given;
    }
  }

  memory_status allocate_small(memory_request const& request, region& out) noexcept {
    u64 align =
        request.align < alignof(std::max_align_t) ? alignof(std::max_align_t) : request.align;
    u64 size = round_up(request.size, align);
    if (size < request.size || size > PTRDIFF_MAX)
      return memory_status::no_room;
    auto bytes = static_cast<std::size_t>(size);
    void* p = align != alignof(std::max_align_t)
                  ? std::aligned_alloc(static_cast<std::size_t>(align), bytes)
              : request.zeroed ? std::calloc(1, bytes)
                               : std::malloc(bytes);
    if (p == nullptr)
      return memory_status::no_room;
    if (request.zeroed && align != alignof(std::max_align_t))
      std::memset(p, 0, bytes);
    auto* host = static_cast<std::byte*>(p);
    out = {{target(host)}, host, request.size};
    count(request.kind, out.size);
    return memory_status::ok;
  }
  void count(memory_kind kind, u64 size) noexcept {
    in_use_[static_cast<std::size_t>(kind)].fetch_add(static_cast<std::size_t>(size),
                                                      std::memory_order_relaxed);
  }

  /// Narrows the wish to the pages that lie wholly in the window.
  void clip(reach_window const& reach, page_pool::wish& w) const noexcept {
    u64 base = target(base_), last = base + (size_ - 1);
    if (reach.empty() || reach.last.value < base || reach.first.value > last) {
      w.last = 0;
      return;
    }
    if (reach.first.value > base)
      w.first = in_pages(reach.first.value - base + page_size_ - 1);
    if (reach.last.value < last)
      w.last = in_pages(reach.last.value - base + 1);
  }

  /// From the kind's own chunks; from a new chunk; in need from anybody's.
  page take(page_pool::wish const& w, unsigned sub) noexcept {
    page first = pool_.take(w, sub);
    if (first != page_pool::none)
      return first;
    page const per_chunk = in_pages(chunk_);
    page_pool::wish chunks = w;
    chunks.count = round_up(w.count, per_chunk);
    chunks.align = w.align > per_chunk ? w.align : per_chunk;
    if (page c = pool_.take(chunks, 0); c != page_pool::none) {
      pool_.give(c, sub);
      return pool_.take(w, sub);
    }
    for (unsigned owner = 0; owner < page_pool::owners && first == page_pool::none; ++owner)
      first = pool_.take(w, owner);
    return first;
  }

  void give_back(page first) noexcept {
    unsigned sub = pool_.owner(first);
    page_pool::extent e = pool_.give(first, sub);
    page const per_chunk = in_pages(chunk_);
    page low = round_up(e.first, per_chunk), high = (e.first + e.count) & ~(per_chunk - 1);
    if (sub != 0 && low < high)
      pool_.hand_over(e, {low, high - low}, sub, 0);
  }

  /// What was executable is not afterwards; what is only read-only waits until it is used again.
  void take_back(page first, page count) noexcept {
    for (page p = first, end; p < first + count; p = end) {
      auto const executable = [&](page q) {
        access const a = permissions_.now(q);
        return !told_ || a == access::read_execute || a == access::unknown;
      };
      end = p + 1;
      if (!executable(p))
        continue;
      while (end < first + count && executable(end))
        ++end;
      static_cast<void>(permissions_.set(p, end - p, access::read_write));
    }
    for (page p = first; p < first + count; ++p)
      state_[p] &= static_cast<u8>(~used);
    // No wish outlives the module.
    for (page p = first, end; p < first + count; p = end) {
      for (end = p + 1; end < first + count && permissions_.now(end) == permissions_.now(p);)
        ++end;
      permissions_.want(p, end - p, permissions_.now(p));
    }
  }

  /// Makes the pages accessible, and zero if asked; `zero`: whether they are. Where one is not
  /// accessible its whole chunk is made so, as far as it is not in use, so that such calls are few.
  bool make_ready(page first, page count, bool zeroed, bool& zero) noexcept {
    page const per_chunk = in_pages(chunk_);
    for (page p = first; p < first + count; ++p) {
      if (permissions_.now(p) == access::read_write)
        continue;
      page end = p, limit = round_up(p + 1, per_chunk);
      while (end < limit && permissions_.now(end) != access::read_write && !(state_[end] & used))
        ++end;
      if (permissions_.set(p, end - p, access::read_write) != 0)
        return false;
    }
    if (guard_ && permissions_.set(first + count, 1, access::none) != 0)
      return false;
    for (page p = first, end; p < first + count; p = end) {
      bool old = state_[p] & dirty;
      for (end = p; end < first + count && ((state_[end] & dirty) != 0) == old; ++end)
        state_[end] |= used | dirty | given;
      if (old && zeroed)
        std::memset(base_ + p * page_size_, 0, bytes(end - p));
      zero = zero && (!old || zeroed);
    }
    if (guard_)
      state_[first + count] |= used;
    return true;
  }

  struct release_c {
    void operator()(u8* p) const noexcept { std::free(p); }
  };

  u64 page_size_;
  u8 page_shift_;
  bool guard_;
  u64 chunk_;
  u64 size_;
  std::byte* alias_ = nullptr;
  std::byte* base_;
  page_pool pool_;
  page_permissions permissions_;
  bool told_ = false;
  bool unpopulated_ = false; ///< was asked for, and refused
  std::unique_ptr<u8[], release_c> state_;
  /// What is counted has addresses, and not every machine of 32 bits has atomic 64.
  std::array<std::atomic<std::size_t>, 11> in_use_{};
  mutable spinning_mutex mutex_;
};
static_assert(allocator_policy<arena>);

} // namespace kmodld::hosted
