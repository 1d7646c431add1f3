// SPDX-License-Identifier: MIT
// Virtual CPUs: threads that run guests and handle their exits, and the place where all of them
// wait while the hypervisor's code changes.
#pragma once

#include "hypervisor.h"

#include <atomic>
#include <barrier>
#include <cpuid.h>
#include <thread>
#include <vector>

namespace hypervisor {

class vcpus {
public:
  explicit vcpus(unsigned count) : states_(count), meeting_{count + 1} {
    for (vcpu& v : states_)
      threads_.emplace_back([this, &v] { run(v); });
  }
  vcpus(vcpus const&) = delete;
  vcpus& operator=(vcpus const&) = delete;
  ~vcpus() {
    while_stopped([this] { over_ = true; });
    for (std::thread& t : threads_)
      t.join();
  }

  /// Runs `work` while no virtual CPU handles an exit: none is in, or will return to, any function
  /// that handle_exit calls. Between two calls every guest has had all its answers anew. For one
  /// thread, which is no virtual CPU.
  template <class Work>
  void while_stopped(Work work) noexcept {
    stop_.store(true, std::memory_order_relaxed);
    meeting_.arrive_and_wait();
    work();
    stop_.store(false, std::memory_order_relaxed);
    meeting_.arrive_and_wait();
  }

  /// Only while_stopped.
  std::vector<vcpu> const& states() const noexcept { return states_; }

private:
  void run(vcpu& v) noexcept {
    while (!over_) {
      run_guest(&v);
      if (!stop_.load(std::memory_order_relaxed))
        continue;
      meeting_.arrive_and_wait(); // all are here
      meeting_.arrive_and_wait(); // the work is done
      // What this CPU has fetched of code that another one has changed is thrown away by an
      // instruction that serialises.
      unsigned a, b, c, d;
      __cpuid(0, a, b, c, d);
    }
  }

  std::vector<vcpu> states_;
  std::barrier<> meeting_;
  std::atomic<bool> stop_{false};
  bool over_ = false; ///< changes while all are stopped
  std::vector<std::thread> threads_;
};

} // namespace hypervisor
