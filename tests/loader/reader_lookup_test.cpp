// SPDX-License-Identifier: MIT
// A resolver that readers may ask is asked without the lock; what went meanwhile is not used.
#include "loader/fixture.hpp"

#include <doctest/doctest.h>

namespace kmodld::test {
namespace {

struct counting_reclaimer {
  int depth = 0;
  void read_enter() noexcept { ++depth; }
  void read_leave() noexcept { --depth; }
  void synchronize() noexcept {}
};

struct reading_symbols : test_symbols {
  static constexpr bool for_readers = true;
  counting_reclaimer* reclaimer = nullptr;
  std::function<void()> on_looked_up{}; ///< once, before the loader takes the lock
  unsigned finds = 0;

  bool find(std::string_view name, bool gpl_ok, exported_symbol& out) noexcept {
    ++finds;
    return test_symbols::find(name, gpl_ok, out);
  }
  void find_batch(symbol_query* queries, std::size_t count) noexcept {
    p->unlocked();
    p->check(reclaimer->depth == 1);
    for (symbol_query& q : std::span{queries, count}) {
      auto const found = table.find(q.name);
      q.found = found != table.end();
      if (q.found)
        q.symbol = found->second.front();
    }
    if (auto f = std::exchange(on_looked_up, nullptr))
      f();
  }
};
static_assert(reader_batch_resolver<reading_symbols>);

struct reading_config {
  using arch = kmodld::arch::x86_64;
  struct abi : kmodld::abi::linux_6_1 {
    static constexpr bool modversions = false;
  };
  using allocator = memory_kinds&;
  using symbol_resolver = reading_symbols&;
  using protector = test_protector&;
  using notifier = no_notifier;
  using lock = test_lock&;
  using reclaimer = counting_reclaimer&;
  using invoker = no_invoker;
};

struct reading_host {
  promises promised;
  test_protector protector{&promised};
  test_memory memory{&promised, &protector};
  memory_kinds allocator{memory};
  counting_reclaimer reclaimer;
  reading_symbols symbols{{.p = &promised}};
  test_lock lock{.p = &promised};
  kmodld::loader<reading_config> loader{{.allocator = allocator,
                                         .symbol_resolver = symbols,
                                         .protector = protector,
                                         .lock = lock,
                                         .reclaimer = reclaimer}};
  byte_vector user;
  module* base = nullptr;

  reading_host() {
    symbols.reclaimer = &reclaimer;
    builder b = simple_builder("user");
    b.undefined("base_function");
    user = b.build().bytes;
    REQUIRE(loader.load(base_module()));
    base = &*loader.modules().begin();
    symbols.finds = 0;
  }
  ~reading_host() {
    CHECK(promised.broken == 0);
    CHECK(promised.lock_depth == 0);
    CHECK(reclaimer.depth == 0);
  }
};

} // namespace

TEST_CASE("reader lookup: nobody is asked again under the lock") {
  reading_host h;
  CHECK(h.loader.load(h.user));
  CHECK(h.symbols.finds == 0);
  CHECK(h.base->refcnt == 2);
}

TEST_CASE("reader lookup: what was unloaded before the lock was had is unknown") {
  reading_host h;
  h.symbols.on_looked_up = [&] { CHECK(h.loader.unload("base")); };
  CHECK(code_of(h.loader.load(h.user)) == errc::symbol_unknown);
  CHECK(h.symbols.finds == 1);
  CHECK(h.loader.modules().empty());
}

TEST_CASE("reader lookup: who waits for an exporter is no reader") {
  reading_host h;
  h.base->state = module_state::coming;
  h.lock.on_wait = [&] {
    CHECK(h.reclaimer.depth == 0);
    h.base->state = module_state::live;
    return wait_status::woken;
  };
  CHECK(h.loader.load(h.user));
  CHECK(h.lock.waits == 1);
}

} // namespace kmodld::test
