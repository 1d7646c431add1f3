// SPDX-License-Identifier: MIT
#include <kmodld/hosted/counting_allocator.hpp>

#include <kmodld/hosted/arena.hpp>

#include <doctest/doctest.h>

namespace {

using namespace kmodld;
using counted = hosted::counting_allocator<hosted::arena>;

struct fixture {
  hosted::arena inner;
  counted memory{inner};
  region a, b;
  memory_status get(memory_kind kind, u64 size, region& out) {
    return memory.allocate({kind, size, 8, {}}, out);
  }
};

TEST_CASE_FIXTURE(fixture, "counts by kind, and remembers") {
  REQUIRE(get(memory_kind::text, 5000, a) == memory_status::ok);
  REQUIRE(get(memory_kind::scratch, 100, b) == memory_status::ok);
  CHECK(memory.live_regions() == 2);
  CHECK(memory.live_regions(memory_kind::text) == 1);
  CHECK(memory.live_bytes(memory_kind::text) == a.size);
  CHECK(memory.live_bytes(memory_kind::scratch) == b.size);
  memory.release(memory_kind::text, a);
  CHECK(memory.live_regions() == 1);
  CHECK(memory.live_bytes(memory_kind::text) == 0);
  memory.release(memory_kind::scratch, b);
  using enum counted::action;
  CHECK(memory.trace() == std::vector<counted::event>{{allocated, memory_kind::text, 5000},
                                                      {allocated, memory_kind::scratch, 100},
                                                      {released, memory_kind::text, a.size},
                                                      {released, memory_kind::scratch, b.size}});
  CHECK(memory.mistakes() == 0);
  CHECK(inner.in_use() == 0);
}

TEST_CASE_FIXTURE(fixture, "the n-th request fails, once") {
  memory.fail_at(2, memory_status::out_of_reach);
  CHECK(get(memory_kind::text, 1, a) == memory_status::ok);
  CHECK(memory.failure_pending());
  CHECK(get(memory_kind::text, 1, b) == memory_status::out_of_reach);
  CHECK_FALSE(memory.failure_pending());
  CHECK(memory.trace().back() == counted::event{counted::action::refused, memory_kind::text, 1});
  CHECK(memory.live_regions() == 1);
  CHECK(get(memory_kind::text, 1, b) == memory_status::ok);
  CHECK(memory.requests() == 3);
  memory.release(memory_kind::text, a);
  memory.release(memory_kind::text, b);
  CHECK(inner.in_use() == 0);
}

TEST_CASE_FIXTURE(fixture, "wrong releases are noticed and do no harm") {
  REQUIRE(get(memory_kind::text, 5000, a) == memory_status::ok);
  REQUIRE(get(memory_kind::data, 5000, b) == memory_status::ok);
  memory.release(memory_kind::text, a);
  memory.release(memory_kind::text, a);
  CHECK(memory.mistakes() == 1);
  memory.release(memory_kind::rodata, b);
  CHECK(memory.mistakes() == 2);
  CHECK(inner.in_use() == 0);
  REQUIRE(get(memory_kind::record, 64, a) == memory_status::ok);
  memory.release(memory_kind::record, {a.target, a.host, a.size - 1});
  CHECK(memory.mistakes() == 3);
  CHECK(inner.in_use() == 0);
}

} // namespace
