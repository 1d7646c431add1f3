// SPDX-License-Identifier: MIT
#include <kmodld/linux/param_strings.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <vector>

using namespace kmodld;

namespace {

struct counting_lock {
  int held = 0, taken = 0;
  void lock() noexcept {
    CHECK(++held == 1);
    ++taken;
  }
  void unlock() noexcept { --held; }
};

struct pool {
  counting_lock& mutex;
  std::vector<std::unique_ptr<std::byte[]>> blocks;
  int live = 0;
  memory_status allocate(memory_request const& r, region& out) noexcept {
    CHECK(mutex.held == 0);
    if (blocks.size() == 3)
      return memory_status::out_of_reach;
    blocks.push_back(std::make_unique<std::byte[]>(r.size));
    out = {.target = {u64{0x1000} * blocks.size()}, .host = blocks.back().get(), .size = r.size};
    ++live;
    return memory_status::ok;
  }
  void release(memory_kind kind, region r) noexcept {
    CHECK(mutex.held == 0);
    CHECK(kind == memory_kind::record);
    CHECK(r.host != nullptr);
    --live;
  }
};

} // namespace

TEST_CASE("param_strings: copies are found, released once, and the lock guards only the list") {
  counting_lock mutex;
  pool memory{mutex, {}, 0};
  module one, two;
  {
    param_strings<pool&, counting_lock&> strings{memory, mutex};
    auto const* a = strings.add(one, {8}, "first");
    auto const* b = strings.add(two, {8}, "");
    REQUIRE(a != nullptr);
    REQUIRE(b != nullptr);
    CHECK(a->text() == "first");
    CHECK(b->text() == "");
    CHECK(a->target().value == 0x1000 + sizeof(*a));
    CHECK(a->target().value % 16 == 0);
    CHECK(strings.find_if([&](auto const& c) { return c.owner == &one; }) == a);
    CHECK(strings.find_if([](auto const& c) { return c.variable.value == 9; }) == nullptr);
    auto const* c = strings.add(one, {16}, "third");
    REQUIRE(c != nullptr);
    CHECK(strings.add(one, {24}, "no room") == nullptr);
    CHECK(memory.live == 3);
    strings.release_if([&](auto const& s) { return s.owner == &one && s.variable.value == 8; });
    CHECK(memory.live == 2);
    CHECK(strings.find_if([&](auto const& s) { return s.owner == &one; }) == c);
    strings.release_if([](auto const&) { return false; });
    CHECK(memory.live == 2);
  }
  CHECK(memory.live == 0);
  CHECK(mutex.held == 0);
  CHECK(mutex.taken > 0);
}

TEST_CASE("param_strings: a text that the module left without NUL ends with its memory") {
  counting_lock mutex;
  pool memory{mutex, {}, 0};
  module m;
  param_strings<pool&> strings{memory};
  auto const* c = strings.add(m, {8}, "abc");
  REQUIRE(c != nullptr);
  memory.blocks[0][sizeof(*c) + 3] = std::byte{'d'};
  CHECK(c->text() == "abcd");
}
