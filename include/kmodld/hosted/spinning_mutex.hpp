// SPDX-License-Identifier: MIT
// A mutex that tries for a moment before it lets the thread sleep. What the loader and the arena do
// under their locks is shorter than a thread takes to fall asleep and be woken.
#pragma once

#include <mutex>

namespace kmodld::hosted {

/// As std::mutex; for std::lock_guard and std::unique_lock.
class spinning_mutex {
public:
  void lock() noexcept {
    for (unsigned i = 0; i < tries; ++i) {
      if (mutex_.try_lock())
        return;
      relax();
    }
    mutex_.lock();
  }
  bool try_lock() noexcept { return mutex_.try_lock(); }
  void unlock() noexcept { mutex_.unlock(); }

private:
  /// Some ten microseconds. With 300 two loading threads still slept in every second run.
  static constexpr unsigned tries = 1000;

  /// Lets the core's other thread go first.
  static void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

  std::mutex mutex_;
};

} // namespace kmodld::hosted
