// SPDX-License-Identifier: MIT
// One thread at a time, whether the other tries or sleeps.
#include <kmodld/hosted/spinning_mutex.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <thread>

using kmodld::hosted::spinning_mutex;

TEST_CASE("spinning mutex: nobody else is inside, and nothing is lost") {
  spinning_mutex mutex;
  unsigned count = 0; // not atomic: that is the mutex's work
  std::atomic<unsigned> inside{0}, crowds{0};
  auto const work = [&] {
    for (unsigned i = 0; i < 20000; ++i) {
      std::lock_guard hold{mutex};
      crowds += ++inside != 1;
      ++count;
      --inside;
    }
  };
  std::thread other{work};
  work();
  other.join();
  CHECK(count == 40000);
  CHECK(crowds == 0);
}

TEST_CASE("spinning mutex: who waits longer than it tries sleeps, and is woken") {
  spinning_mutex mutex;
  mutex.lock();
  CHECK_FALSE(mutex.try_lock());
  std::atomic<bool> got{false};
  std::thread other{[&] {
    mutex.lock();
    got = true;
    mutex.unlock();
  }};
  std::this_thread::sleep_for(std::chrono::milliseconds{20});
  CHECK_FALSE(got);
  mutex.unlock();
  other.join();
  CHECK(got);
  CHECK(mutex.try_lock());
  mutex.unlock();
}
