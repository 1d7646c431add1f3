// SPDX-License-Identifier: MIT
// Lock for programs with threads: module_mutex and module_wq in one.
#pragma once

#include <kmodld/hosted/spinning_mutex.hpp>
#include <kmodld/policy/lock.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace kmodld::hosted {

class mutex_lock {
public:
  using clock = std::chrono::steady_clock;

  /// Bounded waits last 30 seconds in all, as Linux's do.
  mutex_lock() noexcept : mutex_lock{std::chrono::seconds{30}} {}
  /// `bound`: how long bounded waits last in all, from the first one since the caller took the
  /// lock.
  explicit mutex_lock(clock::duration bound) noexcept : bound_{bound} {}

  void lock() noexcept {
    mutex_.lock();
    seen_ = wakes_.load();
  }
  void unlock() noexcept {
    std::erase_if(deadlines_, [](deadline const& d) { return d.of == std::this_thread::get_id(); });
    mutex_.unlock();
  }

  /// A wake() that came since the caller took the lock, or was last woken, is not missed: states
  /// may change without the lock, if the wake comes after the change.
  wait_status wait(bool bounded) noexcept {
    unsigned seen = seen_;
    clock::time_point end = bounded ? own_deadline() : clock::time_point::max();
    std::unique_lock inner{wake_mutex_};
    unsigned calm = interrupts_;
    mutex_.unlock();
    auto over = [&] { return wakes_.load() != seen || interrupts_ != calm; };
    if (bounded)
      woken_.wait_until(inner, end, over);
    else
      woken_.wait(inner, over);
    wait_status status = interrupts_ != calm     ? wait_status::interrupted
                         : wakes_.load() != seen ? wait_status::woken
                                                 : wait_status::timed_out;
    inner.unlock();
    mutex_.lock();
    seen_ = wakes_.load();
    return status;
  }

  void wake() noexcept {
    {
      std::lock_guard hold{wake_mutex_};
      wakes_.fetch_add(1);
    }
    woken_.notify_all();
  }

  /// Ends everybody's wait as a signal does in a system call. Not from a signal handler: from a
  /// thread that has learnt of the signal.
  void interrupt() noexcept {
    {
      std::lock_guard hold{wake_mutex_};
      ++interrupts_;
    }
    woken_.notify_all();
  }

private:
  struct deadline {
    std::thread::id of;
    clock::time_point at;
  };

  clock::time_point own_deadline() noexcept {
    for (deadline const& d : deadlines_)
      if (d.of == std::this_thread::get_id())
        return d.at;
    return deadlines_.emplace_back(deadline{std::this_thread::get_id(), clock::now() + bound_}).at;
  }

  clock::duration bound_;
  spinning_mutex mutex_;
  unsigned seen_ = 0;               ///< wakes_ when the holder last looked at the world
  std::vector<deadline> deadlines_; ///< of threads that wait, or hold the lock after waiting
  std::mutex wake_mutex_;           ///< taken after mutex_, never before
  std::condition_variable woken_;
  std::atomic<unsigned> wakes_{0}; ///< changes under wake_mutex_
  unsigned interrupts_ = 0;
};
static_assert(lock_policy<mutex_lock>);

} // namespace kmodld::hosted
