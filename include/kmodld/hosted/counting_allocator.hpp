// SPDX-License-Identifier: MIT
// An allocator around another that counts, remembers and, when told to, refuses: for tests that
// nothing leaks and that every failure is undone.
#pragma once

#include <kmodld/policy/allocator.hpp>

#include <array>
#include <map>
#include <mutex>
#include <vector>

namespace kmodld::hosted {

/// For any number of threads. May throw std::bad_alloc into a noexcept function, that is, end the
/// program: it is no allocator for production.
template <allocator_policy A>
class counting_allocator {
public:
  enum class action : u8 { allocated, refused, released };
  struct event {
    action what;
    memory_kind kind;
    u64 size; ///< what was asked for, or the size of the region released
    friend bool operator==(event const&, event const&) = default;
  };

  explicit counting_allocator(A& inner) noexcept : inner_{inner} {}

  memory_status allocate(memory_request const& request, region& out) noexcept {
    std::lock_guard hold{mutex_};
    ++requests_;
    memory_status status = fail_in_ == 1 ? fail_with_ : inner_.allocate(request, out);
    fail_in_ -= fail_in_ != 0;
    bool ok = status == memory_status::ok;
    trace_.push_back({ok ? action::allocated : action::refused, request.kind, request.size});
    if (!ok)
      return status;
    live_[out.host] = {request.kind, out};
    regions_[index(request.kind)] += 1;
    bytes_[index(request.kind)] += out.size;
    return status;
  }

  void release(memory_kind kind, region given) noexcept {
    std::lock_guard hold{mutex_};
    trace_.push_back({action::released, kind, given.size});
    auto it = live_.find(given.host);
    if (it == live_.end()) { // released twice, or never allocated
      ++mistakes_;
      return;
    }
    auto [right_kind, right] = it->second;
    if (kind != right_kind || given.size != right.size || given.target != right.target)
      ++mistakes_;
    live_.erase(it);
    regions_[index(right_kind)] -= 1;
    bytes_[index(right_kind)] -= right.size;
    inner_.release(right_kind, right);
  }

  /// The n-th request from now fails (1: the next one; 0: none).
  void fail_at(u64 n, memory_status with = memory_status::no_room) noexcept {
    std::lock_guard hold{mutex_};
    fail_in_ = n;
    fail_with_ = with;
  }
  /// Whether that request has not come yet.
  bool failure_pending() const noexcept { return get(fail_in_) != 0; }

  u64 requests() const noexcept { return get(requests_); } ///< so far, failed ones too
  /// Releases of what was not allocated, or with another kind, size or address.
  u64 mistakes() const noexcept { return get(mistakes_); }
  u64 live_regions(memory_kind kind) const noexcept { return get(regions_[index(kind)]); }
  u64 live_bytes(memory_kind kind) const noexcept { return get(bytes_[index(kind)]); }
  u64 live_regions() const noexcept {
    std::lock_guard hold{mutex_};
    return live_.size();
  }
  std::vector<event> trace() const {
    std::lock_guard hold{mutex_};
    return trace_;
  }
  void clear_trace() noexcept {
    std::lock_guard hold{mutex_};
    trace_.clear();
  }

private:
  struct piece {
    memory_kind kind;
    region memory;
  };
  static constexpr std::size_t kinds = static_cast<std::size_t>(memory_kind::scratch) + 1;
  static constexpr std::size_t index(memory_kind k) noexcept { return static_cast<std::size_t>(k); }
  u64 get(u64 const& value) const noexcept {
    std::lock_guard hold{mutex_};
    return value;
  }

  A& inner_;
  mutable std::mutex mutex_;
  std::map<std::byte*, piece> live_;
  std::array<u64, kinds> regions_{}, bytes_{};
  std::vector<event> trace_;
  u64 requests_ = 0, mistakes_ = 0, fail_in_ = 0;
  memory_status fail_with_ = memory_status::no_room;
};
static_assert(allocator_policy<counting_allocator<allocator_archetype>>);

} // namespace kmodld::hosted
