// SPDX-License-Identifier: MIT
// Words are relocated in blocks: however many come in a row, wherever another type or an error
// stands, the hot loop must do and find what the exact loop does.
#include "reloc/bench.hpp"

#include <kmodld/arch/i386.hpp>
#include <kmodld/arch/s390x.hpp>
#include <kmodld/arch/x86_64.hpp>

#include <doctest/doctest.h>
#include <random>

using namespace kmodld;

namespace {

/// A type that comes in long rows, and another one; both of 4 bytes at least.
template <class A>
struct types_of;
template <>
struct types_of<arch::x86_64> {
  static constexpr u32 often[] = {2, 4, 11}, other = 1; // PC32, PLT32, 32S; 64
};
template <>
struct types_of<arch::i386> {
  static constexpr u32 often[] = {2, 2, 4}, other = 1; // PC32, PLT32; 32
};
template <>
struct types_of<arch::s390x> {
  static constexpr u32 often[] = {5, 5, 5}, other = 22; // PC32; 64
};

} // namespace

TEST_CASE_TEMPLATE("blocks: any length, any end, any fault", A, arch::x86_64, arch::i386,
                   arch::s390x) {
  std::minstd_rand random{11};
  auto const below = [&](u32 n) { return static_cast<u32>(random() >> 8) % n; };
  unsigned good = 0, refused[4] = {};
  for (unsigned round = 0; round < 4000; ++round) {
    test::reloc_bench<A> b;
    b.original.resize(1024);
    u32 const near = b.symbol(b.place.value + 0x100);
    u32 const count = 1 + below(60), wrong = below(2 * count), how = below(4);
    u32 const most = below(3) == 0 ? 4 : 64; // one in so many is of another type
    for (u32 i = 0; i < count; ++i) {
      u64 offset = below(16) == 0 ? 8 * below(124) : 8 * i; // not always sorted, nor only once
      u32 type = below(most) == 0 ? types_of<A>::other : types_of<A>::often[below(3)];
      u32 symbol = near;
      if (i == wrong) {
        symbol = how == 0 ? b.symbol(b.place.value + (u64{1} << 40)) : how == 1 ? 1000 : near;
        offset = how == 2 ? (below(2) == 0 ? 1021 : ~u64{0} - below(8)) : offset;
        type = how == 3 ? 200 : type;
      }
      b.add(offset, type, symbol);
    }
    errc const code = b.run();
    REQUIRE(code != errc::count_); // the loops differ
    if (code == errc::ok)
      ++good;
    else if (wrong < count)
      ++refused[how];
  }
  CHECK(good > 300);
  CHECK(refused[1] > 200); // no such symbol
  CHECK(refused[2] > 200); // beyond the section
  CHECK(refused[3] > 200); // no such type
  if constexpr (A::format::bits == 64)
    CHECK(refused[0] > 200); // out of reach
}
