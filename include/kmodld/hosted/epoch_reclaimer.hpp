// SPDX-License-Identifier: MIT
// Reclaimer for programs with threads: readers count themselves in and out of an epoch, and a grace
// period starts a new epoch and waits until nobody is left in the old one.
//
// Epochs alternate between two sets of counters. A reader that counted itself in looks at the epoch
// again: if it has not changed, every later grace period sees the count; if it has, it counts
// itself out and starts again. Counters are spread over cache lines by thread.
#pragma once

#include <kmodld/address.hpp>
#include <kmodld/policy/reclaimer.hpp>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace kmodld::hosted {

/// read_enter and read_leave use atomics and thread-local data only, so they may be called in a
/// signal handler. Any thread may read without registration; a section ends in the thread in which
/// it began. One thread may be in sections of up to eight reclaimers at a time.
class epoch_reclaimer {
public:
  epoch_reclaimer() = default;
  epoch_reclaimer(epoch_reclaimer const&) = delete;
  epoch_reclaimer& operator=(epoch_reclaimer const&) = delete;

  void read_enter() noexcept {
    section* mine = nullptr;
    for (section& s : own_sections())
      if (unsigned depth = s.depth.load(relaxed); depth == 0)
        mine = mine != nullptr ? mine : &s;
      else if (s.of.load(relaxed) == this) {
        s.depth.store(depth + 1, relaxed);
        return;
      }
    if (mine == nullptr)
      std::abort();
    // A signal handler that comes in between finds the place taken, but nobody's.
    mine->depth.store(1, relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    for (;;) {
      unsigned epoch = epoch_.load();
      mine->counter = &counters_[own_line()].readers[epoch & 1];
      mine->counter->fetch_add(1);
      if (epoch_.load() == epoch)
        break;
      mine->counter->fetch_sub(1);
    }
    std::atomic_signal_fence(std::memory_order_seq_cst);
    mine->of.store(this, relaxed);
  }

  void read_leave() noexcept {
    for (section& s : own_sections()) {
      unsigned depth = s.depth.load(relaxed);
      if (depth == 0 || s.of.load(relaxed) != this)
        continue;
      if (depth > 1) {
        s.depth.store(depth - 1, relaxed);
        return;
      }
      s.of.store(nullptr, relaxed);
      std::atomic_signal_fence(std::memory_order_seq_cst);
      s.counter->fetch_sub(1);
      std::atomic_signal_fence(std::memory_order_seq_cst);
      s.depth.store(0, relaxed);
      return;
    }
  }

  void synchronize() noexcept {
    std::lock_guard one_at_a_time{mutex_};
    unsigned old = epoch_.fetch_add(1) & 1;
    // Nobody stays in the old epoch who enters from now on, so each counter need be 0 only once.
    for (line const& l : counters_)
      for (int tries = 0; l.readers[old].load() != 0; ++tries)
        if (tries < 64)
          std::this_thread::yield();
        else
          std::this_thread::sleep_for(std::chrono::microseconds{50});
  }

private:
  static constexpr auto relaxed = std::memory_order_relaxed;
  static constexpr unsigned lines = 16;
  struct alignas(64) line {
    std::atomic<unsigned> readers[2]{};
  };
  /// What one thread is reading; only it and its signal handlers look here.
  struct section {
    std::atomic<epoch_reclaimer const*> of{nullptr};
    std::atomic<unsigned> depth{0};
    std::atomic<unsigned>* counter = nullptr;
  };
  using sections = section[8];

  static sections& own_sections() noexcept {
    // This model needs no allocation on first use, which a signal handler could not afford.
    [[gnu::tls_model("initial-exec")]] static constinit thread_local sections all{};
    return all;
  }
  static unsigned own_line() noexcept {
    u64 here = reinterpret_cast<std::uintptr_t>(&own_sections());
    return static_cast<unsigned>((here * 0x9e3779b97f4a7c15) >> 60);
  }

  std::atomic<unsigned> epoch_{0};
  line counters_[lines];
  std::mutex mutex_;
};
static_assert(reclaimer_policy<epoch_reclaimer>);

} // namespace kmodld::hosted
