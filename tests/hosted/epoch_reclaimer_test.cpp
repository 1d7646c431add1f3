// SPDX-License-Identifier: MIT
#include <kmodld/hosted/epoch_reclaimer.hpp>

#include <kmodld/hosted/arena.hpp>
#include <kmodld/hosted/mutex_lock.hpp>
#include <kmodld/module.hpp>
#include <kmodld/policy/symbol_table.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using kmodld::read_guard;
using kmodld::hosted::epoch_reclaimer;

TEST_CASE("synchronize waits for a reader that entered before, not for later ones") {
  epoch_reclaimer reclaimer;
  std::atomic<bool> inside{false}, leave{false}, over{false};
  std::thread reader{[&] {
    read_guard outer{reclaimer};
    {
      read_guard inner{reclaimer}; // leaving the inner section is not leaving
    }
    inside = true;
    while (!leave)
      std::this_thread::yield();
    CHECK_FALSE(over);
  }};
  while (!inside)
    std::this_thread::yield();
  std::thread writer{[&] {
    reclaimer.synchronize();
    over = true;
  }};
  std::this_thread::sleep_for(30ms);
  CHECK_FALSE(over);
  {
    read_guard later{reclaimer};
    leave = true;
    writer.join(); // while this thread reads
    CHECK(over);
  }
  reader.join();
  reclaimer.synchronize();
}

TEST_CASE("reclaimers do not wait for each other's readers") {
  epoch_reclaimer a, b;
  read_guard in_a{a};
  b.synchronize();
  read_guard in_b{b};
  read_guard in_a_again{a};
  CHECK(&a != &b);
}

TEST_CASE("readers never see what was given back") {
  struct record {
    std::atomic<int> alive{1};
  };
  epoch_reclaimer reclaimer;
  std::atomic<record*> published{new record};
  std::atomic<bool> stop{false};
  std::atomic<int> dead_seen{0};
  std::atomic<long> reads{0};
  std::vector<std::unique_ptr<record>> graveyard; // freed last, so that a bug shows as a value
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i)
    readers.emplace_back([&] {
      while (!stop) {
        read_guard hold{reclaimer};
        record* r = published.load(std::memory_order_acquire);
        for (int k = 0; k < 20; ++k)
          if (r->alive.load(std::memory_order_relaxed) == 0)
            ++dead_seen;
        ++reads;
      }
    });
  auto end = std::chrono::steady_clock::now() + 400ms;
  int grace_periods = 0;
  while (std::chrono::steady_clock::now() < end) {
    record* old = published.exchange(new record, std::memory_order_acq_rel);
    reclaimer.synchronize();
    old->alive.store(0, std::memory_order_relaxed);
    graveyard.emplace_back(old);
    ++grace_periods;
  }
  stop = true;
  for (auto& t : readers)
    t.join();
  delete published.load();
  CHECK(dead_seen == 0);
  CHECK(grace_periods > 10);
  CHECK(reads > 100);
}

epoch_reclaimer* in_signal;
std::atomic<int> signals{0};

TEST_CASE("a signal handler reads, also in the middle of entering and leaving") {
  epoch_reclaimer reclaimer;
  in_signal = &reclaimer;
  struct sigaction action = {}, before;
  action.sa_handler = [](int) {
    read_guard hold{*in_signal};
    ++signals;
  };
  sigaction(SIGUSR1, &action, &before);
  std::atomic<bool> stop{false};
  std::thread reader{[&] {
    while (!stop) {
      read_guard outer{reclaimer};
      read_guard inner{reclaimer};
    }
  }};
  for (int i = 0; i < 2000; ++i) {
    pthread_kill(reader.native_handle(), SIGUSR1);
    if (i % 20 == 0)
      reclaimer.synchronize();
  }
  stop = true;
  reader.join();
  reclaimer.synchronize(); // would hang if a count had been lost
  sigaction(SIGUSR1, &before, nullptr);
  CHECK(signals > 0);
}

TEST_CASE("the symbol table under readers without a lock") {
  using namespace kmodld;
  hosted::arena memory;
  epoch_reclaimer reclaimer;
  hosted::mutex_lock lock;
  symbol_table<hosted::arena, epoch_reclaimer> table{memory, reclaimer};
  std::vector<std::string> stable, changing;
  for (int i = 0; i < 200; ++i) {
    stable.push_back("stable_" + std::to_string(i));
    changing.push_back("changing_" + std::to_string(i));
  }
  auto symbol = [](u64 value, module* owner) {
    exported_symbol s;
    s.value = {value};
    s.owner = owner;
    return s;
  };
  for (u64 i = 0; i < stable.size(); ++i)
    REQUIRE(table.add(stable[i], symbol(i + 1, nullptr)));
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> readers;
  for (int t = 0; t < 3; ++t)
    readers.emplace_back([&] {
      std::vector<symbol_query> queries(stable.size());
      while (!stop) {
        for (u64 i = 0; i < stable.size(); ++i) {
          read_guard hold{reclaimer};
          exported_symbol out;
          if (!table.find(stable[i], true, out) || out.value.value != i + 1)
            ++wrong;
          if (table.find(changing[i], true, out) && out.value.value != 1000 + i)
            ++wrong;
        }
        read_guard hold{reclaimer};
        for (u64 i = 0; i < stable.size(); ++i)
          queries[i] = {stable[i], {}, true, false};
        table.find_batch(queries.data(), queries.size());
        for (u64 i = 0; i < stable.size(); ++i)
          if (!queries[i].found || queries[i].symbol.value.value != i + 1)
            ++wrong;
      }
    });
  module owner;
  auto end = std::chrono::steady_clock::now() + 400ms;
  u64 rounds = 0;
  for (; std::chrono::steady_clock::now() < end; ++rounds) {
    {
      lock_guard hold{lock};
      for (u64 i = 0; i < changing.size(); ++i)
        if (!table.add(changing[i], symbol(1000 + i, &owner)))
          ++wrong;
    }
    {
      lock_guard hold{lock};
      for (auto const& name : changing)
        table.remove(name, owner);
    }
    table.collect(lock);
  }
  stop = true;
  for (auto& t : readers)
    t.join();
  CHECK(wrong == 0);
  CHECK(rounds > 5);
  CHECK(memory.in_use(memory_kind::record) < 100000);
}

} // namespace
