// SPDX-License-Identifier: MIT
// Where in its own address space a process finds room for modules.
#pragma once

#include <kmodld/address.hpp>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <sys/mman.h>

namespace kmodld::hosted {

/// A window for an arena, and the address it shall lie as near to as it can.
struct placement {
  reach_window window;
  address nearest_to;

  /// Anywhere with a distance of less than `reach` bytes to `a`.
  static constexpr placement near(address a, u64 reach) noexcept {
    return {{a.value < reach ? address{0} : address{a.value - reach},
             a.value > ~u64{0} - reach ? address{~u64{0}} : a + (reach - 1)},
            a};
  }

  /// The low 2 GiB, from the top: what x86-64's absolute 32-bit relocations reach, signed or not,
  /// and relative ones from and to an executable that is not position-independent.
  static constexpr placement low_2_gib() noexcept { return {{{0}, {0x7fffffff}}, {0x7fffffff}}; }

  /// Near the code of this program, for architectures whose code is relative only.
  static placement near_own_text(u64 reach) noexcept {
    auto here = reinterpret_cast<std::uintptr_t>(&near_own_text);
    return near({here}, reach);
  }

  /// What modules of the machine that this program runs on need.
  static placement native() noexcept {
#if defined(__x86_64__)
    return low_2_gib();
#elif defined(__aarch64__) || defined(__loongarch__)
    return near_own_text(u64{112} << 20); // B and BL reach 128 MiB, less the program itself
#elif UINTPTR_MAX > 0xffffffff
    return near_own_text(u64{7} << 28);
#else
    return {{{0}, {0xffffffff}}, {0x30000000}}; // the least that 32-bit systems leave is 1 GiB
#endif
  }
};

namespace detail {

/// Calls `use(first, end)` for every gap between the mappings of the process, in order.
template <class Use>
inline void for_each_gap(Use use) {
  std::FILE* maps = std::fopen("/proc/self/maps", "re");
  u64 free_from = 0x10000; // less than this, vm.mmap_min_addr, is refused
  if (maps != nullptr) {
    char line[512];
    while (std::fgets(line, sizeof line, maps) != nullptr) {
      u64 first = 0, end = 0;
      if (std::sscanf(line, "%" SCNx64 "-%" SCNx64, &first, &end) != 2)
        continue; // the rest of a long line
      if (first > free_from)
        use(free_from, first);
      free_from = end > free_from ? end : free_from;
    }
    std::fclose(maps);
  }
  // What a 64-bit system leaves to a process at most, if it is not asked for more; mmap says the
  // rest.
  constexpr u64 end = UINTPTR_MAX > 0xffffffff ? u64{1} << 47 : u64{0xfffff000};
  if (free_from < end)
    use(free_from, end);
}

} // namespace detail

/// Maps `size` bytes (a multiple of `align`, which is one of the page size) at a multiple of
/// `align` inside the window, as near as there is room; flags and fd are mmap's. Null if there is
/// no room.
inline void* map_near(placement const& where, u64 size, u64 align, int protection, int flags,
                      int fd) {
  u64 space_end = ~u64{0};
  // Another thread may take the place between looking and mapping: look again.
  for (int attempt = 0; attempt < 16; ++attempt) {
    u64 best = 0, best_distance = ~u64{0};
    detail::for_each_gap([&](u64 first, u64 end) {
      first = first > where.window.first.value ? first : where.window.first.value;
      end = end - 1 < where.window.last.value ? end : where.window.last.value + 1;
      end = end < space_end ? end : space_end;
      u64 low = round_up(first, align);
      if (end <= first || low < first || low >= end || end - low < size)
        return;
      u64 high = (end - size) & ~(align - 1), wish = where.nearest_to.value & ~(align - 1);
      u64 place = wish < low ? low : wish > high ? high : wish;
      u64 distance = place > wish ? place - wish : wish - place;
      if (distance < best_distance) {
        best = place;
        best_distance = distance;
      }
    });
    if (best_distance == ~u64{0})
      return nullptr;
    void* p =
        ::mmap(reinterpret_cast<void*>(static_cast<std::uintptr_t>(best)),
               static_cast<std::size_t>(size), protection, flags | MAP_FIXED_NOREPLACE, fd, 0);
    if (p == reinterpret_cast<void*>(static_cast<std::uintptr_t>(best)))
      return p;
    if (p != MAP_FAILED) // a kernel before 4.17 takes the address for a hint
      ::munmap(p, static_cast<std::size_t>(size));
    else if (errno != EEXIST) // free, and yet refused: the process's part ends before
      space_end = best;
  }
  return nullptr;
}

} // namespace kmodld::hosted
