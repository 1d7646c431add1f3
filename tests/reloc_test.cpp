// SPDX-License-Identifier: MIT
// The relocation core: hot loop and exact loop give the same bytes and the same error on whatever
// they are given, and those are the psABI's.
#include "reloc/workbench.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace kmodld;
using namespace kmodld::test;

namespace {

/// What must come out, worked out one relocation after the other without kmodld's tables. Knows the
/// plain types only.
struct expectation {
  errc code = errc::ok;
  u32 index = 0;
  std::vector<std::byte> bytes;
};

expectation expect(workbench const& b, bool wide) {
  expectation e{.bytes = b.original};
  auto fault = [&](errc code, std::size_t i) {
    e.code = code;
    e.index = static_cast<u32>(i);
    return e;
  };
  for (std::size_t i = 0; i < b.relocations.size(); ++i) {
    auto const& r = b.relocations[i];
    u32 const type = static_cast<u32>(u64{r.r_info}),
              symbol = static_cast<u32>(u64{r.r_info} >> 32);
    if (type == 0)
      continue;
    plain_type const* t = plain(type);
    if (t == nullptr || (!wide && !t->linux_type))
      return fault(errc::reloc_unknown, i);
    if (symbol >= b.values.size())
      return fault(errc::reloc_symbol, i);
    if (wide_int{r.r_offset} + t->bytes > wide_int{b.original.size()})
      return fault(errc::reloc_offset, i);
    if (type == 4 && !b.attributes.empty() && (b.attributes[symbol] & symbol_unresolved) != 0)
      return fault(errc::reloc_weak_branch, i);
    u64 v = b.values[symbol] + static_cast<u64>(i64{r.r_addend});
    if (t->relative)
      v -= b.place.value + r.r_offset;
    if (t->linux_type && read_bytes(e.bytes, r.r_offset, t->bytes) != 0)
      return fault(errc::reloc_nonzero, i);
    for (unsigned k = 0; k < t->bytes; ++k)
      e.bytes[r.r_offset + k] = static_cast<std::byte>(v >> 8 * k);
    // A value of 64 bits fits if either its unsigned or its signed reading does.
    bool const as_unsigned = wide_int{v} >= t->low && wide_int{v} <= t->high;
    bool const as_signed =
        wide_int{static_cast<i64>(v)} >= t->low && wide_int{static_cast<i64>(v)} <= t->high;
    if (t->bytes != 8 && !as_unsigned && !as_signed)
      return fault(errc::reloc_overflow, i);
  }
  return e;
}

class random_sections {
  std::mt19937_64 random_;

  u64 below(u64 n) { return random_() % n; }
  bool chance(unsigned percent) { return below(100) < percent; }

  u32 type(unsigned wild) {
    static constexpr u32 usual[] = {1, 2, 4, 11, 10, 24, 2, 4, 2, 4};
    static constexpr u32 wide[] = {12, 13, 14, 15, 0};
    if (chance(wild))
      return static_cast<u32>(below(60) == 0 ? random_() : 5 + below(4));
    return chance(10) ? wide[below(5)] : usual[below(10)];
  }

public:
  explicit random_sections(u64 seed) : random_{seed} {}

  /// `wild`: percent of relocations that are damaged in some way.
  workbench make(unsigned wild) {
    workbench b;
    u64 const size = below(20) == 0 ? below(16) : 64 + below(4096);
    b.original.assign(size, std::byte{0});
    // The kernel's window, a low one, or both far apart.
    u64 const base = chance(50) ? 0xffffffffc0000000 : 0x10000000;
    b.place = {base + below(1 << 20)};
    u64 const count = 1 + below(40);
    b.values.clear();
    for (u64 i = 0; i < count; ++i)
      b.values.push_back(chance(wild) ? random_() : base + below(1 << 24));
    if (chance(10)) {
      b.attributes.assign(count, 0);
      for (u8& a : b.attributes)
        if (chance(20)) {
          a = symbol_undefined | symbol_weak | symbol_unresolved;
          b.unresolved_weak = true;
        }
    }
    u64 at = 0;
    for (u64 n = below(120), run = 0, t = 2; n != 0; --n, --run) {
      if (run == 0) {
        run = 1 + below(8);
        t = type(wild);
      }
      u64 const where = chance(wild) ? below(size + 8) : at;
      b.add(where, static_cast<u32>(t), static_cast<u32>(below(count + (chance(wild) ? 1 : 0))),
            static_cast<i64>(below(4096)) - 2048);
      at += 8 + below(24);
      if (at + 8 > size)
        break;
    }
    if (chance(wild) && size != 0)
      b.original[below(size)] = std::byte{1};
    return b;
  }
};

template <bool Wide>
void compare(workbench& b, unsigned round) {
  CAPTURE(round);
  expectation const e = expect(b, Wide);
  errc const hot = b.run<Wide>();
  auto const hot_bytes = b.bytes;
  error const hot_error = b.err;
  errc const exact = b.run_exact<Wide>();
  REQUIRE(hot == exact);
  REQUIRE(hot_bytes == b.bytes);
  REQUIRE(hot_error.index == b.err.index);
  REQUIRE(hot_error.number[0] == b.err.number[0]);
  REQUIRE(hot_error.number[1] == b.err.number[1]);
  REQUIRE(exact == e.code);
  REQUIRE(b.bytes == e.bytes);
  if (exact != errc::ok)
    REQUIRE(b.err.index == e.index);
}

} // namespace

TEST_CASE("hot loop, exact loop and the psABI agree on random sections") {
  unsigned good = 0, refused = 0;
  for (unsigned round = 0; round < 6000; ++round) {
    random_sections source{round};
    workbench b = source.make(round % 3 == 0 ? 0 : round % 3 == 1 ? 1 : 8);
    compare<true>(b, round);
    ++(b.err.code == errc::ok ? good : refused);
    compare<false>(b, round);
  }
  // The generator must reach both outcomes.
  CHECK(good > 1000);
  CHECK(refused > 1000);
}

TEST_CASE("every kind of fault, at every position of a run") {
  struct damage {
    errc code;
    u64 offset;
    u32 type, symbol;
    i64 addend;
  };
  constexpr u32 count = 20; // two blocks and some
  for (damage d :
       {damage{errc::reloc_offset, 1000, 2, 1, 0}, damage{errc::reloc_symbol, 0, 2, 9, 0},
        damage{errc::reloc_unknown, 0, 39, 1, 0}, damage{errc::reloc_tls, 0, 19, 1, 0},
        damage{errc::reloc_overflow, 0, 2, 2, 0}, damage{errc::reloc_nonzero, 60, 2, 1, 0},
        damage{errc::reloc_no_slot, 0, 9, 1, 0}})
    for (u32 position = 0; position < count; ++position) {
      workbench b;
      b.original.resize(256);
      b.symbol(b.place.value);
      b.symbol(0x123456789000);
      b.original[60] = std::byte{1};
      for (u32 i = 0; i < count; ++i) {
        u64 const place = d.offset == 0 ? 8 * i : d.offset;
        if (i == position)
          b.add(place, d.type, d.symbol, d.addend);
        else
          b.add(8 * i, 2, 1, 100 + i);
      }
      CAPTURE(position);
      CHECK(b.run() == d.code);
      CHECK(b.err.index == position);
      auto const bytes = b.bytes;
      CHECK(b.run_exact() == d.code);
      CHECK(bytes == b.bytes);
      // What follows the fault is untouched.
      for (u32 i = position + 1; i < count; ++i)
        CHECK(b.word(8 * i, 4) == 0);
    }
}

TEST_CASE("two relocations on one place") {
  workbench b;
  b.symbol(b.place.value + 8);
  b.symbol(0x100);
  SUBCASE("the second finds what the first wrote") {
    b.add(8, 2, 1, 5).add(8, 2, 1, 6);
    CHECK(b.run() == errc::reloc_nonzero);
    CHECK(b.err.index == 1);
    CHECK(b.word(8, 4) == 5);
  }
  SUBCASE("a first that writes 0 leaves room") {
    b.add(8, 2, 1, 0).add(8, 2, 1, 6);
    CHECK(b.run() == errc::ok);
    CHECK(b.word(8, 4) == 6);
  }
  SUBCASE("types of different width that overlap") {
    b.add(8, 10, 2).add(4, 1, 2);
    CHECK(b.run() == errc::reloc_nonzero);
    CHECK(b.err.index == 1);
    CHECK(b.word(4, 8) == u64{0x100} << 32);
  }
  SUBCASE("the first fault counts, not the worst") {
    b.add(8, 2, 1, 5).add(8, 2, 1, 6).add(8, 39, 0).add(8, 2, 99);
    CHECK(b.run() == errc::reloc_nonzero);
    CHECK(b.err.index == 1);
  }
  SUBCASE("types that Linux refuses may write twice") {
    b.add(8, 12, 2, 1).add(8, 12, 2, 2);
    CHECK(b.run() == errc::ok);
    CHECK(b.word(8, 2) == 0x102);
  }
}

TEST_CASE("a fault in the second section of a target: the first is applied again") {
  workbench b;
  u32 const near = b.symbol(b.place.value);
  u32 const far = b.symbol(0x123456789000);
  std::vector<workbench::relocation> const first{workbench::make(0, 2, near, 0x11),
                                                 workbench::make(8, 1, far, 0)};
  b.relocations = first;
  b.bytes = b.original;
  error e;
  REQUIRE(relocate<arch::x86_64>(b.input(), b.symbols(), b.state, e) == errc::ok);
  auto const after_first = b.bytes;

  auto second = [&](std::vector<workbench::relocation> list) {
    b.bytes = after_first;
    b.relocations = std::move(list);
    unsigned replays = 0;
    errc const code =
        relocate<arch::x86_64>(b.input(), b.symbols(), b.state, e, [&](std::span<std::byte> bytes) {
          ++replays;
          std::memcpy(bytes.data(), b.original.data(), bytes.size());
          error ignored;
          auto in = b.input();
          in.relocations = first;
          auto const symbols = b.symbols();
          CHECK(reloc::exact_loop<arch::x86_64, true>{in, symbols, b.state, ignored}() == errc::ok);
        });
    CHECK(replays == (code == errc::ok ? 0 : 1));
    return code;
  };

  CHECK(second({workbench::make(16, 2, near, 1)}) == errc::ok);

  // A good one, one that does not fit, one more: what the exact loop leaves on top of the first.
  CHECK(second({workbench::make(16, 2, near, 0x40), workbench::make(24, 11, far, 0),
                workbench::make(32, 2, near, 3)}) == errc::reloc_overflow);
  CHECK(e.index == 1);
  auto expected = after_first;
  auto put = [&](u64 at, u32 v) {
    for (unsigned i = 0; i < 4; ++i)
      expected[at + i] = static_cast<std::byte>(v >> 8 * i);
  };
  put(16, 0x40 - 16);
  put(24, 0x56789000);
  CHECK(b.bytes == expected);

  // On a place of the first section.
  CHECK(second({workbench::make(16, 2, near, 0x40), workbench::make(8, 1, near, 0)}) ==
        errc::reloc_nonzero);
  CHECK(e.index == 1);
  expected = after_first;
  put(16, 0x40 - 16);
  CHECK(b.bytes == expected);
}

TEST_CASE("a fault found after bytes were written: NOBITS and short originals are zero-filled") {
  workbench b;
  u32 const near = b.symbol(b.place.value);
  b.add(0, 2, near, 9).add(8, 39, 0);
  b.bytes.assign(64, std::byte{0});
  b.original.clear();
  CHECK(relocate<arch::x86_64>(b.input(), b.symbols(), b.state, b.err) == errc::reloc_unknown);
  CHECK(b.word(0, 4) == 9);
  for (u64 i = 8; i < 64; ++i)
    CHECK(b.bytes[i] == std::byte{0});
}

TEST_CASE("nothing to do") {
  workbench b;
  b.bytes = b.original;
  CHECK(relocate<arch::x86_64>({b.bytes, b.place, b.original, {}}, {b.values}));
  CHECK(b.run() == errc::ok);
  b.original.clear();
  CHECK(b.run() == errc::ok);
}

TEST_CASE("types with one field and check share a class") {
  using classes = reloc::classes<arch::x86_64>;
  CHECK(classes::of_type(2) == classes::of_type(4));  // PC32, PLT32
  CHECK(classes::of_type(2) == classes::of_type(11)); // 32S: P does not count
  CHECK(classes::of_type(10) != classes::of_type(11));
  CHECK(classes::of_type(1) != classes::of_type(24));
  CHECK(classes::count == 5); // NONE, 64, words, 32, PC64
  // Unknown, GOT, TLS, and what Linux refuses.
  for (u32 type : {5u, 9u, 12u, 16u, 43u, 0xffffffffu})
    CHECK(classes::of_type(type) == classes::no_class);
}
