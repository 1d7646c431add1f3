// SPDX-License-Identifier: MIT
// Lock policy: module_mutex and module_wq.
#pragma once

#include <concepts>

namespace kmodld {

enum class wait_status : unsigned char { woken, timed_out, interrupted };

/// Guards the module list, use lists, states and symbol resolution.
template <class L>
concept lock_policy = requires(L& lock) {
  { lock.lock() } noexcept;
  { lock.unlock() } noexcept;
  // With the lock held: gives it up, sleeps until wake() or, for bounded waits, until 30 seconds
  // since the first wait of this load have passed, takes it again. `interrupted`: a signal.
  { lock.wait(true) } noexcept -> std::same_as<wait_status>;
  // A module finished forming, went or disappeared. May be called with or without the lock.
  { lock.wake() } noexcept;
};

/// The null model and archetype: one context. Nobody else could finish what one waits for, so a
/// wait ends at once as if the time were over.
struct no_lock {
  void lock() noexcept {}
  void unlock() noexcept {}
  wait_status wait(bool) noexcept { return wait_status::timed_out; }
  void wake() noexcept {}
};
using lock_archetype = no_lock;
static_assert(lock_policy<no_lock>);

/// Holds the lock for a scope.
template <class L>
class lock_guard {
public:
  explicit lock_guard(L& lock) noexcept : lock_{lock} { lock_.lock(); }
  ~lock_guard() { lock_.unlock(); }
  lock_guard(lock_guard const&) = delete;
  lock_guard& operator=(lock_guard const&) = delete;

private:
  L& lock_;
};

} // namespace kmodld
