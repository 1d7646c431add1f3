// SPDX-License-Identifier: MIT
// Per-CPU policy: offsets into the area that %gs points to. There is one CPU, so one instance.
#pragma once

#include <kmodld/policy/percpu.hpp>

#include <cstring>
#include <map>

namespace linux_like {

class percpu_area {
public:
  using address = kmodld::address;
  using u64 = kmodld::u64;

  /// `base` is where offset 0 lies in memory; modules get [begin, end), begin > 0.
  percpu_area(std::byte* base, u64 begin, u64 end) : base_(base), begin_(begin), end_(end) {}

  address allocate(u64 size, u64 align) noexcept {
    u64 at = kmodld::round_up(begin_, align);
    for (const auto& [taken, taken_size] : taken_) {
      if (taken - at >= size && at <= taken)
        break;
      at = kmodld::round_up(taken + taken_size, align);
    }
    if (at > end_ || size > end_ - at)
      return {};
    taken_[at] = size;
    return {at};
  }
  void release(address offset, u64) noexcept { taken_.erase(offset.value); }
  void initialise(address offset, kmodld::byte_view bytes) noexcept {
    std::memset(base_ + offset.value, 0, taken_[offset.value]);
    std::memcpy(base_ + offset.value, bytes.data(), bytes.size());
  }
  std::size_t in_use() const noexcept { return taken_.size(); }

private:
  std::byte* base_;
  u64 begin_, end_;
  std::map<u64, u64> taken_; ///< offset -> size
};
static_assert(kmodld::percpu_policy<percpu_area>);

} // namespace linux_like
