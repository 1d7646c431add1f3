// SPDX-License-Identifier: MIT
// unload(module_ref&): the module that is meant goes, with the caller's reference, or nothing does.
#include "loader/fixture.hpp"

#include <kmodld/arch/x86_64.hpp>
#include <kmodld/kmodld.hpp>

#include <doctest/doctest.h>

#include <functional>

namespace kmodld::test {
namespace {

/// What another thread does just before it is the caller's turn.
struct contended_lock : no_lock {
  std::function<void()> before;
  void lock() noexcept {
    if (auto others = std::exchange(before, nullptr))
      others();
  }
};

struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = hosted::counting_allocator<test_memory>&;
  using symbol_resolver = no_symbols;
  using protector = test_protector&;
  using notifier = no_notifier;
  using lock = contended_lock&;
  using invoker = no_invoker;
};

struct fixture {
  promises promised;
  test_protector protector{.p = &promised};
  test_memory memory{&promised, &protector};
  hosted::counting_allocator<test_memory> allocator{memory};
  contended_lock lock;
  loader<config> one{{.allocator = allocator,
                      .symbol_resolver = {},
                      .protector = protector,
                      .notifier = {},
                      .lock = lock}};

  module_ref load() {
    result<module_ref> loaded = one.load(simple_module());
    REQUIRE(loaded);
    return *std::move(loaded);
  }
};

} // namespace

TEST_CASE_FIXTURE(fixture, "unload(module_ref&) takes the module and the reference") {
  module_ref demo = load();
  REQUIRE(one.unload(demo));
  CHECK(!demo);
  CHECK(one.modules().empty());
  CHECK(allocator.live_regions() == 0);
}

TEST_CASE_FIXTURE(fixture, "unload(module_ref&) holds the module until it is gone") {
  module_ref demo = load();
  errc others = errc::ok;
  lock.before = [&] { others = code_of(one.unload("demo")); };
  REQUIRE(one.unload(demo));
  CHECK(others == errc::unload_in_use); // else one of the same name could have taken its place
  CHECK(one.modules().empty());
}

TEST_CASE_FIXTURE(fixture,
                  "unload(module_ref&) leaves module and reference where others have one") {
  module_ref demo = load();
  module_ref second = one.find("demo");
  CHECK(code_of(one.unload(demo)) == errc::unload_in_use);
  REQUIRE(demo);
  CHECK(demo->refcnt == 3);
  second.reset();
  REQUIRE(one.unload(demo));
  CHECK(allocator.live_regions() == 0);
}

TEST_CASE_FIXTURE(fixture, "unload(module_ref&) by force takes one reference of several") {
  module_ref demo = load();
  module_ref second = one.find("demo");
  u32 left = 0;
  lock.before = [&] { left = demo->refcnt; };
  REQUIRE(one.unload(demo, {.force = true}));
  CHECK(left == 3);
  CHECK(!demo);
  CHECK(one.modules().empty());
  second.release(); // of a module that is gone
}

TEST_CASE_FIXTURE(fixture, "a reference to another loader's module unloads nothing") {
  module_ref demo = load();
  loader<config> other{{.allocator = allocator,
                        .symbol_resolver = {},
                        .protector = protector,
                        .notifier = {},
                        .lock = lock}};
  REQUIRE(other.load(simple_module()));
  CHECK(code_of(other.unload(demo)) == errc::unload_no_module);
  CHECK(demo);
  CHECK(other.find("demo"));
  module_ref none;
  CHECK(code_of(other.unload(none)) == errc::unload_no_module);
}

} // namespace kmodld::test
