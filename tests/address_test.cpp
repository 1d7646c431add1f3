// SPDX-License-Identifier: MIT
// address.hpp: arithmetic at the ends of the address space, regions, windows, rounding.
#include <kmodld/address.hpp>

#include <doctest/doctest.h>

using namespace kmodld;

namespace {
constexpr u64 top = ~u64{0};
}

TEST_CASE("addresses wrap like the target's and compare as numbers") {
  CHECK((address{top} + 1).value == 0);
  CHECK(address{1} - address{top} == 2);
  CHECK(address{0x8000000000000000} > address{0x7fffffffffffffff});
  CHECK(address{5} == address{5});
  CHECK(!address{});
  CHECK(static_cast<bool>(address{1}));
}

TEST_CASE("a region holds its first byte and not the one after its last") {
  std::byte memory[16] = {};
  region r{address{0x1000}, memory, sizeof memory};
  CHECK(!r.contains(address{0xfff}));
  CHECK(r.contains(address{0x1000}));
  CHECK(r.contains(address{0x100f}));
  CHECK(!r.contains(address{0x1010}));
  CHECK(r.at(address{0x100f}) == memory + 15);
}

TEST_CASE("a region at the end of the address space") {
  region r{address{top - 15}, nullptr, 16};
  CHECK(r.contains(address{top}));
  CHECK(!r.contains(address{0}));
  CHECK(!r.contains(address{top - 16}));
}

TEST_CASE("an empty region holds nothing") {
  region r{address{0x1000}, nullptr, 0};
  CHECK(!r.contains(address{0x1000}));
  CHECK(!region{}.contains(address{0}));
}

TEST_CASE("a window holds what fits between its ends, both included") {
  reach_window w{address{0x100}, address{0x1ff}};
  CHECK(w.holds(address{0x100}, 0x100));
  CHECK(!w.holds(address{0x100}, 0x101));
  CHECK(w.holds(address{0x1ff}, 1));
  CHECK(!w.holds(address{0x200}, 1));
  CHECK(!w.holds(address{0xff}, 1));
  CHECK(!w.holds(address{0x180}, top));
  CHECK(!w.empty());
  CHECK(reach_window{address{2}, address{1}}.empty());
  CHECK(!reach_window{address{1}, address{1}}.empty());
}

TEST_CASE("the default window is everything") {
  reach_window w;
  CHECK(w.holds(address{0}, top));
  CHECK(w.holds(address{top}, 1));
  CHECK(!w.holds(address{top}, 2));
}

TEST_CASE("rounding up") {
  CHECK(round_up<u64>(0, 16) == 0);
  CHECK(round_up<u64>(1, 16) == 16);
  CHECK(round_up<u64>(16, 16) == 16);
  CHECK(round_up<u64>(17, 1) == 17);
  CHECK(round_up<u64>(top, 16) == 0);
  CHECK(round_up<u32>(0xfffff001, 0x1000) == 0); // in the width of the type, as Linux does
  static_assert(round_up<u32>(5, 4) == 8);
}

TEST_CASE("powers of two") {
  CHECK(!is_power_of_two(0));
  CHECK(is_power_of_two(1));
  CHECK(!is_power_of_two(3));
  CHECK(is_power_of_two(u64{1} << 63));
  CHECK(!is_power_of_two(top));
}
