// SPDX-License-Identifier: MIT
// What each page of a range may be used for now, and what it shall be used for. A system call costs
// more than relocating a small module, so changes may be put off and made together: settle() makes
// them in as few calls as there are runs of pages.
#pragma once

#include <kmodld/policy/protector.hpp>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <sys/mman.h>

namespace kmodld::hosted {

class page_permissions {
public:
  using page = u32;
  /// `none`: not accessible. `unknown`: the system refused a change, perhaps in the middle. There
  /// is no writable and executable.
  enum class access : u8 { none, read, read_write, read_execute, unknown };

  static constexpr access from(permission p) noexcept {
    return p == permission::read_write     ? access::read_write
           : p == permission::read_execute ? access::read_execute
                                           : access::read;
  }

  /// All pages from `base` on are not accessible. valid() is false if there was no memory.
  page_permissions(std::byte* base, u64 page_size, page pages) noexcept
      : base_{base}, page_size_{page_size}, pages_{pages},
        state_{static_cast<u8*>(std::calloc(pages, 1))},
        unsettled_{static_cast<u8*>(std::calloc(pages / group + 1, 1))} {}

  bool valid() const noexcept { return state_ != nullptr && unsettled_ != nullptr; }
  access now(page p) const noexcept { return static_cast<access>(state_[p] & 7); }
  access wanted(page p) const noexcept { return static_cast<access>(state_[p] >> 3); }

  /// Changes `count` pages at once. 0 or an errno; then they are `unknown`, and so is what is
  /// wanted of them unless that was put off.
  int set(page first, page count, access a) noexcept {
    constexpr int bits[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC};
    if (::mprotect(base_ + first * page_size_, static_cast<std::size_t>(count * page_size_),
                   bits[static_cast<u8>(a)]) != 0) {
      int const failed = errno;
      for (page p = first; p < first + count; ++p)
        put(p, access::unknown, wanted(p) == now(p) ? access::unknown : wanted(p));
      return failed;
    }
    for (page p = first; p < first + count; ++p)
      put(p, a, a);
    return 0;
  }

  /// The same, put off until settle().
  void want(page first, page count, access a) noexcept {
    for (page p = first; p < first + count; ++p)
      put(p, now(p), a);
    for (page g = first / group; g <= (first + count - 1) / group; ++g)
      unsettled_[g] = 1;
  }

  /// Makes every change that was put off. 0 or an errno; then what is left stays put off.
  int settle() noexcept {
    for (page g = 0; g * group < pages_; ++g) {
      if (unsettled_[g] == 0)
        continue;
      for (page p = g * group; p < pages_ && p < (g + 1) * group;) {
        access const a = wanted(p);
        page end = p + 1;
        if (a != now(p)) {
          while (end < pages_ && wanted(end) == a && now(end) != a)
            ++end;
          if (int failed = set(p, end - p, a); failed != 0)
            return failed;
        }
        p = end;
      }
      unsettled_[g] = 0;
    }
    return 0;
  }

private:
  static constexpr page group = 512; ///< pages with one mark that there is something to settle

  void put(page p, access now, access wanted) noexcept {
    state_[p] = static_cast<u8>(static_cast<u8>(now) | static_cast<u8>(wanted) << 3);
  }

  struct release {
    void operator()(u8* p) const noexcept { std::free(p); }
  };

  std::byte* base_;
  u64 page_size_;
  page pages_;
  std::unique_ptr<u8[], release> state_; ///< a page: 3 bits now, 3 bits wanted
  std::unique_ptr<u8[], release> unsettled_;
};

} // namespace kmodld::hosted
