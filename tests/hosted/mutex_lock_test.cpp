// SPDX-License-Identifier: MIT
#include <kmodld/hosted/mutex_lock.hpp>

#include <doctest/doctest.h>

#include <thread>

namespace {

using namespace std::chrono_literals;
using kmodld::lock_guard;
using kmodld::wait_status;
using kmodld::hosted::mutex_lock;

TEST_CASE("a waiter gives up the lock and is woken") {
  mutex_lock lock;
  bool finished = false;
  lock.lock();
  std::thread other{[&] {
    lock_guard hold{lock};
    finished = true;
    lock.wake(); // with the lock held
  }};
  while (!finished)
    REQUIRE(lock.wait(true) == wait_status::woken);
  lock.unlock();
  other.join();
}

TEST_CASE("a lock that adds to it needs no constructor") {
  struct counted : mutex_lock {
    unsigned taken = 0;
    void lock() noexcept {
      mutex_lock::lock();
      ++taken;
    }
  };
  counted lock{};
  lock.lock();
  lock.unlock();
  CHECK(lock.taken == 1);
}

TEST_CASE("a wake that comes between looking and waiting is not missed") {
  mutex_lock lock;
  std::atomic<bool> finished{false};
  lock.lock();
  bool seen = finished;
  std::thread{[&] {
    finished = true; // a state that changes without the lock
    lock.wake();
  }}.join();
  REQUIRE_FALSE(seen);
  CHECK(lock.wait(false) == wait_status::woken);
  CHECK(finished);
  lock.unlock();
}

TEST_CASE("the bound counts from the first wait, over wakes, until the lock is given back") {
  mutex_lock lock{150ms};
  std::atomic<bool> stop{false};
  std::thread waker{[&] {
    while (!stop) {
      lock.wake();
      std::this_thread::sleep_for(5ms);
    }
  }};
  for (int round = 0; round < 2; ++round) {
    auto start = mutex_lock::clock::now();
    lock.lock();
    int woken = 0;
    wait_status status;
    while ((status = lock.wait(true)) == wait_status::woken &&
           mutex_lock::clock::now() - start < 5s)
      ++woken;
    lock.unlock();
    auto took = mutex_lock::clock::now() - start;
    CHECK(status == wait_status::timed_out);
    CHECK(took >= 150ms);
    CHECK(took < 5s);
    CHECK(woken > 0);
  }
  stop = true;
  waker.join();
}

TEST_CASE("an interrupt ends waits") {
  mutex_lock lock;
  std::atomic<bool> done{false};
  std::thread other{[&] {
    while (!done) {
      lock.interrupt();
      std::this_thread::sleep_for(1ms);
    }
  }};
  lock.lock();
  CHECK(lock.wait(false) == wait_status::interrupted);
  CHECK(lock.wait(true) == wait_status::interrupted);
  lock.unlock();
  done = true;
  other.join();
}

TEST_CASE("it excludes") {
  mutex_lock lock;
  int sum = 0;
  auto add = [&] {
    for (int i = 0; i < 20000; ++i) {
      lock_guard hold{lock};
      ++sum;
    }
  };
  std::thread a{add}, b{add};
  a.join();
  b.join();
  CHECK(sum == 40000);
}

} // namespace
