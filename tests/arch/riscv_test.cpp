// SPDX-License-Identifier: MIT
// RISC-V: each rule at its limits, pairs in and out of order, sums on a place, GOT and PLT to the
// byte. Instructions are decoded here as the ISA manual draws them, by nothing of kmodld's.
#include "support/module_builder.hpp"

#include <kmodld/arch/riscv.hpp>
#include <kmodld/kmodld.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <random>

using namespace kmodld;
using namespace kmodld::test;

namespace {

constexpr u64 offset = 24; ///< of the place, in the middle of the section

template <class Arch>
struct bench {
  using relocation = typename Arch::relocation;
  using word_type = typename Arch::format::word_type;

  std::vector<std::byte> original = std::vector<std::byte>(64);
  std::vector<std::byte> bytes;
  address place{0x40000000};
  std::vector<relocation> relocations;
  std::vector<u64> values = std::vector<u64>(1);
  std::vector<u32> words;
  bool accumulates = false;
  error err{};

  u32 symbol(u64 value) {
    values.push_back(value);
    return static_cast<u32>(values.size() - 1);
  }
  bench& add(u64 at, u32 type, u32 symbol, i64 addend = 0) {
    relocation r;
    r.r_offset = static_cast<word_type>(at);
    r.r_info = static_cast<word_type>(elf_builder<typename Arch::format>::info(symbol, type));
    r.r_addend = static_cast<std::make_signed_t<word_type>>(addend);
    relocations.push_back(r);
    return *this;
  }
  /// One relocation whose value is `v`, at the place.
  bench& value(u32 type, u64 v, i64 addend, bool relative) {
    u64 const s = v - static_cast<u64>(addend) + (relative ? place.value + offset : 0);
    return add(offset, type, symbol(static_cast<word_type>(s)), addend);
  }

  errc run() {
    errc const exact = once([](auto const& in, auto const& symbols, auto& state, error& e) {
      if (errc code = kmodld::detail::begin_section(in, symbols, state, e); code != errc::ok)
        return code;
      errc const code = reloc::exact_loop<Arch, true>(in, symbols, state, e)();
      return code == errc::ok ? kmodld::detail::end_section(state, e) : code;
    });
    auto const exact_bytes = bytes;
    errc const code = once([](auto const& in, auto const& symbols, auto& state, error& e) {
      return relocate<Arch>(in, symbols, state, e);
    });
    CHECK(exact == code);
    CHECK(exact_bytes == bytes);
    return code;
  }
  u64 word(u64 at, unsigned size) const {
    u64 v = 0;
    for (unsigned i = size; i-- != 0;)
      v = v << 8 | std::to_integer<u64>(bytes.at(at + i));
    return v;
  }
  void fill(u64 at, std::initializer_list<int> content) {
    for (int c : content)
      original.at(at++) = static_cast<std::byte>(c);
  }

private:
  template <class F>
  errc once(F const& f) {
    bytes = original;
    err = {};
    typename Arch::state state{};
    state.accumulates = accumulates;
    state.index.words = words;
    section_relocations<relocation> const in{bytes, place, original, relocations};
    symbol_values const symbols{values, {}};
    return f(in, symbols, state, err);
  }
};
using bench64 = bench<arch::riscv64>;
using bench32 = bench<arch::riscv32>;

u64 bits(u64 v, unsigned high, unsigned low) {
  return v >> low & ((u64{1} << (high - low + 1)) - 1);
}
i64 extended(u64 v, unsigned width) { return static_cast<i64>(v << (64 - width)) >> (64 - width); }
i64 immediate(u32 type, u64 i) {
  switch (type) {
  case 16:
    return extended(bits(i, 31, 31) << 12 | bits(i, 7, 7) << 11 | bits(i, 30, 25) << 5 |
                        bits(i, 11, 8) << 1,
                    13);
  case 17:
    return extended(bits(i, 31, 31) << 20 | bits(i, 19, 12) << 12 | bits(i, 20, 20) << 11 |
                        bits(i, 30, 21) << 1,
                    21);
  case 44:
    return extended(bits(i, 12, 12) << 8 | bits(i, 6, 5) << 6 | bits(i, 2, 2) << 5 |
                        bits(i, 11, 10) << 3 | bits(i, 4, 3) << 1,
                    9);
  default:
    return extended(bits(i, 12, 12) << 11 | bits(i, 8, 8) << 10 | bits(i, 10, 9) << 8 |
                        bits(i, 6, 6) << 7 | bits(i, 7, 7) << 6 | bits(i, 2, 2) << 5 |
                        bits(i, 11, 11) << 4 | bits(i, 5, 3) << 1,
                    12);
  }
}
i64 low_i(u64 i) { return extended(bits(i, 31, 20), 12); }
i64 low_s(u64 i) { return extended(bits(i, 31, 25) << 5 | bits(i, 11, 7), 12); }
i64 upper(u64 i) { return extended(i & 0xfffff000, 32); }

struct jump {
  u32 type;
  unsigned width, bytes;
  u64 kept; ///< the bits that are not the immediate
};
constexpr jump jumps[] = {
    {16, 13, 4, 0x01fff07f}, {17, 21, 4, 0xfff}, {44, 9, 2, 0xe383}, {45, 12, 2, 0xe003}};

template <class Arch>
void jumps_at_their_limits() {
  for (jump const& j : jumps) {
    CAPTURE(j.type);
    i64 const end = i64{1} << (j.width - 1);
    for (int pattern : {0, 0xff, 0x55})
      for (i64 v : {-end, -end + 2, i64{-2}, i64{0}, i64{2}, end / 2 + 2, end - 4, end - 2}) {
        bench<Arch> b;
        b.fill(offset, {pattern, pattern, pattern, pattern});
        b.value(j.type, static_cast<u64>(v), 8, true);
        REQUIRE(b.run() == errc::ok);
        u64 const insn = b.word(offset, j.bytes);
        CHECK(immediate(j.type, insn) == v);
        CHECK((insn & j.kept) == (static_cast<u64>(pattern) * 0x01010101 & j.kept));
      }
    for (i64 v : {-end - 2, end, end + 2, i64{1} << 29}) {
      bench<Arch> b;
      b.value(j.type, static_cast<u64>(v), 0, true);
      CHECK(b.run() == errc::reloc_overflow);
      CHECK(b.err.number[0] == j.type);
      CHECK(b.err.number[1] == static_cast<u64>(v));
    }
    for (i64 v : {i64{1}, i64{-1}, end - 1}) {
      bench<Arch> b;
      b.value(j.type, static_cast<u64>(v), 0, true);
      CHECK(b.run() == errc::reloc_misaligned);
    }
  }
}

constexpr u64 low_end = u64{0} - 0x80000800, high_end = 0x7ffff7ff;

} // namespace

TEST_CASE_TEMPLATE("jumps: the immediate, the bits beside it, and what does not fit", A,
                   arch::riscv64, arch::riscv32) {
  jumps_at_their_limits<A>();
}

TEST_CASE("data: 32 bits unsigned, 64 bits all, 32 bits relative signed") {
  for (u64 v : {u64{0}, u64{0xffffffff}, u64{0x80000000}}) {
    bench64 b;
    b.value(1, v, -4, false);
    REQUIRE(b.run() == errc::ok);
    CHECK(b.word(offset, 8) == v);
  }
  for (u64 v : {u64{0x100000000}, ~u64{0}, u64{0xffffffff80000000}}) {
    bench64 b;
    b.value(1, v, -4, false);
    CHECK(b.run() == errc::reloc_value_range);
    CHECK(b.err.os_errno() == e_inval);
    CHECK(b.err.number[1] == v);
    bench64 c;
    c.value(2, v, 7, false);
    REQUIRE(c.run() == errc::ok);
    CHECK(c.word(offset, 8) == v);
  }
  for (u64 v : {u64{0} - 0x80000000, u64{0x7fffffff}}) {
    bench64 b;
    b.value(57, v, 3, true);
    REQUIRE(b.run() == errc::ok);
    CHECK(b.word(offset, 8) == (v & 0xffffffff));
    bench64 c;
    c.value(59, v, 3, true);
    REQUIRE(c.run() == errc::ok);
    CHECK(c.word(offset, 8) == (v & 0xffffffff));
  }
  for (u64 v : {u64{0} - 0x80000001, u64{0x80000000}}) {
    bench64 b;
    b.value(57, v, 3, true);
    CHECK(b.run() == errc::reloc_overflow);
    bench64 c;
    c.value(59, v, 3, true);
    CHECK(c.run() == errc::reloc_pc_reach);
  }
}

TEST_CASE("AUIPC reaches -2^31 - 2^11 to 2^31 - 2^11 - 1; the two halves add up") {
  for (u64 v : {low_end, low_end + 1, ~u64{0x7ff}, ~u64{0x800}, ~u64{0}, u64{0}, u64{0x7ff},
                u64{0x800}, u64{0xfff}, u64{0x12345fff}, high_end - 1, high_end}) {
    CAPTURE(v);
    for (u32 type : {18u, 19u}) {
      bench64 b;
      b.fill(offset, {0x97, 0xff, 0xff, 0xff, 0xe7, 0x80, 0xf0, 0xff});
      b.value(type, v, -4, true);
      REQUIRE(b.run() == errc::ok);
      u64 const first = b.word(offset, 4), second = b.word(offset + 4, 4);
      CHECK(static_cast<u64>(upper(first) + low_i(second)) == v);
      CHECK((first & 0xfff) == 0xf97);
      CHECK((second & 0xfffff) == 0x080e7);
    }
    bench64 b;
    b.fill(offset, {0x17, 0x05, 0, 0});
    b.fill(offset + 4, {0x13, 0x05, 0xf5, 0xff});
    b.fill(offset + 8, {0xa3, 0x2f, 0xb5, 0xfe});
    b.value(23, v, 12, true);
    u32 const label = b.symbol(b.place.value + offset);
    b.add(offset + 4, 24, label).add(offset + 8, 25, label);
    REQUIRE(b.run() == errc::ok);
    CHECK(static_cast<u64>(upper(b.word(offset, 4)) + low_i(b.word(offset + 4, 4))) == v);
    CHECK(static_cast<u64>(upper(b.word(offset, 4)) + low_s(b.word(offset + 8, 4))) == v);
    CHECK((b.word(offset + 8, 4) & 0x01fff07f) == (0xfeb52fa3 & 0x01fff07f));

    bench64 c;
    c.fill(offset, {0xb7, 0x07, 0, 0});
    c.value(26, v, 0, false).add(offset + 4, 27, 1).add(offset + 8, 28, 1);
    REQUIRE(c.run() == errc::ok);
    CHECK(static_cast<u64>(upper(c.word(offset, 4)) + low_i(c.word(offset + 4, 4))) == v);
    CHECK(static_cast<u64>(upper(c.word(offset, 4)) + low_s(c.word(offset + 8, 4))) == v);
  }
  for (u64 v : {low_end - 1, high_end + 1, u64{0x80000000}, u64{1} << 32, u64{1} << 63})
    for (u32 type : {18u, 19u, 23u, 26u}) {
      CAPTURE(type);
      bench64 b;
      b.value(type, v, 0, type != 26);
      CHECK(b.run() == errc::reloc_pc_reach);
      CHECK(b.err.os_errno() == e_inval);
      CHECK(b.err.number[0] == b.place.value + offset);
      CHECK(b.err.number[1] == b.values[1]);
      CHECK(b.word(offset, 8) == 0);
    }
}

TEST_CASE("on 32 bits every distance is in reach, round the end of memory too") {
  for (u64 v : {u64{0x7ffff800}, u64{0x80000000}, u64{0xfffff7ff}, u64{0}, u64{0x800}}) {
    bench32 b;
    b.place = {0xfffffff0};
    b.value(19, v, -8, true);
    REQUIRE(b.run() == errc::ok);
    CHECK(static_cast<u32>(upper(b.word(offset, 4)) + low_i(b.word(offset + 4, 4))) == v);
    bench32 c;
    c.value(1, v, -8, false).value(57, v, 0, true);
    c.relocations[1].r_offset = static_cast<u32>(offset + 4);
    c.place = {0xffffffe0};
    REQUIRE(c.run() == errc::ok);
    CHECK(c.word(offset, 4) == v);
  }
  bench32 b;
  b.place = {0xfffffff0};
  b.add(offset, 17, b.symbol(8 + 0x100)); // P is 8
  b.add(offset - 24, 17, b.symbol(0x10)); // P is 0xfffffff0
  REQUIRE(b.run() == errc::ok);
  CHECK(immediate(17, b.word(offset, 4)) == 0x100);
  CHECK(immediate(17, b.word(0, 4)) == 0x20);
}

TEST_CASE("a low part is paired with the HI20 at its label, wherever it stands") {
  // Two AUIPC for one symbol, at different places: the low parts differ.
  bench64 b;
  u32 const target = b.symbol(0x40012fff);
  u32 const first = b.symbol(b.place.value + 8), second = b.symbol(b.place.value + 0x20);
  b.add(0, 24, second).add(4, 25, first).add(8, 23, target, 5);
  b.add(12, 24, first, 1234).add(0x20, 23, target, 5).add(0x24, 24, second).add(0x28, 24, first);
  REQUIRE(b.run() == errc::ok);
  u64 const d1 = 0x40013004 - (b.place.value + 8), d2 = 0x40013004 - (b.place.value + 0x20);
  CHECK(upper(b.word(8, 4)) + low_i(b.word(12, 4)) == static_cast<i64>(d1));
  CHECK(upper(b.word(8, 4)) + low_s(b.word(4, 4)) == static_cast<i64>(d1));
  CHECK(upper(b.word(8, 4)) + low_i(b.word(0x28, 4)) == static_cast<i64>(d1));
  CHECK(upper(b.word(0x20, 4)) + low_i(b.word(0x24, 4)) == static_cast<i64>(d2));
  CHECK(upper(b.word(0x20, 4)) + low_i(b.word(0, 4)) == static_cast<i64>(d2));

  SUBCASE("out of order it takes memory for the HI20s") {
    auto const in_order = b.bytes;
    std::swap(b.relocations[0], b.relocations[6]);
    std::swap(b.relocations[2], b.relocations[4]);
    CHECK(arch::riscv64::state::words_needed(b.relocations) == 2);
    CHECK(b.run() == errc::no_memory);
    b.words.resize(1);
    CHECK(b.run() == errc::no_memory);
    b.words.resize(2);
    REQUIRE(b.run() == errc::ok);
    CHECK(b.bytes == in_order);
  }
  SUBCASE("other relocations at the label do not hide it, the first of two counts") {
    b.relocations.clear();
    for (int i = 0; i < 20; ++i)
      b.add(8, 51, 0);
    b.add(8, 35, 0).add(8, 23, target, 5).add(8, 23, target, 9).add(12, 24, first);
    CHECK(arch::riscv64::state::words_needed(b.relocations) == 2);
    b.words.resize(2);
    REQUIRE(b.run() == errc::ok);
    CHECK(low_i(b.word(12, 4)) == extended(d1, 12));
  }
  SUBCASE("without a partner") {
    for (u64 label : {b.place.value + 7, b.place.value + 9, b.place.value - 8, u64{0}, ~u64{0},
                      b.place.value + 0x24, b.place.value + 0x1000}) {
      b.values[first] = label;
      b.values[second] = b.place.value + 0x20;
      CHECK(b.run() == errc::reloc_no_hi20);
      CHECK(b.err.os_errno() == e_inval);
      CHECK(b.err.index == 1);
    }
  }
  SUBCASE("the partner's symbol does not exist") {
    b.relocations.clear();
    b.add(4, 24, first).add(8, 23, 77);
    CHECK(b.run() == errc::reloc_no_hi20);
  }
}

TEST_CASE("a hundred thousand pairs against the grain take no quadratic time") {
  constexpr u32 count = 100'000;
  for (int shape : {0, 1, 2}) {
    CAPTURE(shape);
    bench64 b;
    b.original.resize(std::size_t{8} * count);
    b.words.resize(count);
    u32 const target = b.symbol(b.place.value + 0x123456);
    for (u32 i = 0; i < count; ++i) {
      u32 const k = shape == 0 ? i : count - 1 - i;
      u32 const label = b.symbol(b.place.value + (shape == 2 ? 0 : u64{8} * (count - 1 - k)));
      if (shape == 2)
        b.add(0, i + 1 == count ? 23 : 51, target).add(4, 24, label);
      else
        b.add(u64{8} * k, 23, target).add(u64{8} * k + 4, 24, label);
    }
    CHECK(b.run() == errc::ok);
  }
}

TEST_CASE("sums on the place wrap, as linkers compute them") {
  struct sum {
    u32 type;
    unsigned size;
    u64 expected;
  };
  u64 const v = 0x1122334455667788, old = 0xfedcba98765432e1;
  for (sum const& s : {sum{33, 1, 0x69},
                       {34, 2, 0xaa69},
                       {35, 4, 0xcbbaaa69},
                       {36, 8, old + v},
                       {37, 1, 0x59},
                       {38, 2, 0xbb59},
                       {39, 4, 0x20edbb59},
                       {40, 8, old - v},
                       {52, 1, 0xd9},
                       {53, 1, 0xc8},
                       {54, 1, 0x88},
                       {55, 2, 0x7788},
                       {56, 4, 0x55667788}}) {
    CAPTURE(s.type);
    bench64 b;
    elf::field<u64, elf::byte_order::little>::store(b.original.data() + offset, old);
    b.add(offset, s.type, b.symbol(v + 3), -3);
    REQUIRE(b.run() == errc::ok);
    u64 const mask = s.size == 8 ? ~u64{0} : (u64{1} << 8 * s.size) - 1;
    CHECK(b.word(offset, 8) == ((s.expected & mask) | (old & ~mask)));
    b.relocations[0].r_offset = b.original.size() - s.size + 1;
    CHECK(b.run() == errc::reloc_offset);
  }
}

TEST_CASE("Linux since 6.7 adds up from 0 and stores once a place") {
  bench64 b;
  b.accumulates = true;
  b.fill(offset, {0xc1, 0xff, 0xff, 0xff});
  u32 const x = b.symbol(0xffffffff80001234), y = b.symbol(0xffffffff80001200);
  SUBCASE("the old bytes do not count") {
    b.add(offset, 35, x, 4).add(offset, 39, y);
    REQUIRE(b.run() == errc::ok);
    CHECK(b.word(offset, 8) == 0x38);
  }
  SUBCASE("other relocations between, another place between") {
    b.add(offset + 4, 35, x).add(offset, 35, x, 4).add(offset, 51, 0).add(offset, 39, y);
    b.add(offset + 4, 39, y);
    REQUIRE(arch::riscv64::state::words_needed(b.relocations) == 4);
    CHECK(b.run() == errc::no_memory);
    b.words.resize(4);
    REQUIRE(b.run() == errc::ok);
    CHECK(b.word(offset, 8) == 0x0000003400000038);
  }
  SUBCASE("6 bits keep the upper two of the byte") {
    b.add(offset, 53, x).add(offset, 52, y);
    REQUIRE(b.run() == errc::ok);
    CHECK(b.word(offset, 2) == 0xfff4);
  }
  SUBCASE("the last type says how wide") {
    b.add(offset, 55, y).add(offset, 33, x, -0x34);
    CHECK(b.run() == errc::reloc_accumulated);
    CHECK(b.err.os_errno() == e_inval);
    CHECK(b.err.index == 1);
    CHECK(b.err.number[0] == 8);
    CHECK(b.err.number[1] == 0x1200);
  }
  SUBCASE("ULEB128 as short as it can be") {
    b.add(offset, 60, x, 300 - 0x34).add(offset, 61, y);
    REQUIRE(b.run() == errc::ok);
    CHECK(b.word(offset, 4) == 0xffff02ac);
  }
}

TEST_CASE("ULEB128 keeps the length that the assembler left") {
  bench64 b;
  u32 const x = b.symbol(0x40000000), y = b.symbol(0x40000000);
  b.add(offset, 60, x).add(offset, 61, y);
  auto with = [&](i64 difference, std::initializer_list<int> old) {
    b.relocations[0].r_addend = difference;
    b.fill(offset, old);
    return b.run();
  };
  REQUIRE(with(5, {0x80, 0x80, 0x00, 0x77}) == errc::ok);
  CHECK(b.word(offset, 4) == 0x77008085);
  REQUIRE(with(127, {0x00, 0x77}) == errc::ok);
  CHECK(b.word(offset, 2) == 0x777f);
  CHECK(with(128, {0x00, 0x77}) == errc::reloc_accumulated);
  CHECK(b.err.index == 1);
  REQUIRE(with(0x3fff, {0x80, 0x01, 0x77}) == errc::ok);
  CHECK(b.word(offset, 3) == 0x777fff);
  CHECK(with(0x4000, {0x80, 0x01, 0x77}) == errc::reloc_accumulated);
  CHECK(with(-1, {0x80, 0x01, 0x77}) == errc::reloc_accumulated);
  // Ten bytes hold all; a number without end in the section holds nothing.
  REQUIRE(with(-1, {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0x77}) == errc::ok);
  CHECK(b.word(offset + 3, 8) == 0x7701ffffffffffff);
  for (auto& r : b.relocations)
    r.r_offset = b.original.size() - 2;
  b.fill(b.original.size() - 2, {0x80, 0x80});
  CHECK(b.run() == errc::reloc_offset);
}

TEST_CASE("RELAX is ignored; ALIGN, dynamic, thread-local and unknown types are refused") {
  auto code_of = [](u32 type) {
    bench64 b;
    b.add(offset, type, b.symbol(1));
    errc const code = b.run();
    CHECK(b.bytes == b.original);
    if (code != errc::ok)
      CHECK(b.err.os_errno() == e_inval);
    return code;
  };
  CHECK(code_of(0) == errc::ok);
  CHECK(code_of(51) == errc::ok);
  CHECK(code_of(43) == errc::reloc_align);
  for (u32 type : {3u, 4u, 5u, 58u})
    CHECK(code_of(type) == errc::reloc_dynamic);
  for (u32 type : {6u, 7u, 8u, 9u, 10u, 11u, 12u, 21u, 22u, 29u, 30u, 31u, 32u, 62u, 63u, 64u, 65u})
    CHECK(code_of(type) == errc::reloc_thread_local);
  for (u32 type : {13u, 15u, 42u, 46u, 50u, 66u, 191u, 255u, 256u, ~0u})
    CHECK(code_of(type) == errc::reloc_unknown_type);
}

TEST_CASE("every type stays inside the section and the symbol table") {
  for (reloc::rule const& r : arch::riscv64::rules) {
    if (r.formula == reloc::formula::none || r.formula == reloc::formula::refused)
      continue;
    CAPTURE(r.type);
    for (u64 at : {u64{64} - r.field.bytes + 1, u64{64}, ~u64{0}, ~u64{0} - 3}) {
      bench64 b;
      b.add(at, r.type, b.symbol(0x40000000));
      CHECK(b.run() == errc::reloc_offset);
      CHECK(b.bytes == b.original);
    }
    bench64 b;
    b.add(0, r.type, 1);
    CHECK(b.run() == errc::reloc_symbol);
  }
}

TEST_CASE_TEMPLATE("on any input both loops agree and stay inside", A, arch::riscv64,
                   arch::riscv32) {
  std::mt19937_64 random{7};
  u32 good = 0;
  for (int round = 0; round < 3000; ++round) {
    bench<A> b;
    b.original.resize(random() % 40);
    for (std::byte& o : b.original)
      o = static_cast<std::byte>(random());
    b.words.resize(random() % 8);
    b.accumulates = random() % 2 != 0;
    for (int i = 0; i < 6; ++i)
      b.symbol(b.place.value + random() % 64);
    b.symbol(random());
    u64 const count = random() % 12;
    for (u64 i = 0; i < count; ++i)
      b.add(random() % 44, static_cast<u32>(random() % 67), static_cast<u32>(random() % 9),
            static_cast<i64>(random() % 8));
    good += b.run() == errc::ok ? 1u : 0u;
  }
  CHECK(good > 100);
}

TEST_CASE("without a GOT its types find no slot") {
  for (u32 type : {20u, 41u}) {
    bench64 b;
    b.add(offset, type, b.symbol(0x40001000));
    CHECK(b.run() == errc::reloc_no_slot);
  }
}

namespace {

struct heap {
  u64 next = 0xffffffff01000000;
  memory_status allocate(memory_request const& q, region& r) noexcept {
    auto* host = static_cast<std::byte*>(std::calloc(1, static_cast<std::size_t>(q.size)));
    r = {{0}, host, q.size};
    if (q.kind != memory_kind::record && q.kind != memory_kind::scratch) {
      r.target = {next};
      next += round_up(q.size, u64{4096}) + 4096;
    }
    return host == nullptr ? memory_status::no_room : memory_status::ok;
  }
  void release(memory_kind, region r) noexcept { std::free(r.host); }
};
struct names {
  std::map<std::string, u64, std::less<>> symbols;
  bool find(std::string_view name, bool, exported_symbol& out) noexcept {
    auto found = symbols.find(name);
    if (found == symbols.end())
      return false;
    out = {};
    out.value = {found->second};
    return true;
  }
};

/// With it the loader keeps a list of the sections.
struct shown : no_introspection {};

template <class Abi, class Arch = arch::riscv64>
struct config {
  using arch = Arch;
  using allocator = heap;
  using symbol_resolver = names;
  using protector = no_protection;
  using notifier = no_notifier;
  using introspection = shown;
  using abi = Abi;
};
struct linux_modules : abi::linux_of<arch::riscv64, abi::linux_6_12> {
  static constexpr bool modversions = false;
};
struct old_modules : abi::linux_of<arch::riscv64, abi::linux_6_1> {
  static constexpr bool modversions = false;
};
struct far_objects : abi::linux_of<arch::riscv64, abi::plain> {
  static constexpr bool far_calls = true;
};

constexpr u64 far_away = 0x1234567812345678, near_by = 0xffffffff00200000;

/// A loaded object's sections by name.
template <class Config>
struct loaded {
  loader<Config> host;
  result<module_ref> m{error{}};
  explicit loaded(byte_vector const& image) {
    auto& symbols = host.policies().symbol_resolver.symbols;
    symbols = {{"far", far_away},
               {"far_too", far_away + 8},
               {"near", near_by},
               {"error", ~u64{0} - 4094},
               {"no_error", ~u64{0} - 4095}};
    load_flags flags;
    flags.name = "demo";
    m.~result<module_ref>();
    ::new (&m) result<module_ref>(host.load(image, {}, flags));
  }
  section_attribute const& section(std::string_view name) {
    REQUIRE_MESSAGE(m.has_value(), std::string(message_of(m.error().code)));
    for (section_attribute const& s : (**m).section_attributes)
      if (s.name == name)
        return s;
    FAIL("no such section");
    std::abort();
  }
  u64 word(section_attribute const& s, u64 at, unsigned size) {
    std::byte const* p = (**m).host(s.target + at, size);
    REQUIRE(p != nullptr);
    u64 v = 0;
    for (unsigned i = size; i-- != 0;)
      v = v << 8 | std::to_integer<u64>(p[i]);
    return v;
  }
  u64 call_target(section_attribute const& s, u64 at) {
    return s.target.value + at +
           static_cast<u64>(upper(word(s, at, 4)) + low_i(word(s, at + 4, 4)));
  }
  /// Where the entry at an address leads, and that it is an entry.
  u64 through_plt(section_attribute const& plt, section_attribute const& slots, u64 entry) {
    u64 const at = entry - plt.target.value;
    u64 const auipc = word(plt, at, 4), ld = word(plt, at + 4, 4);
    CHECK((auipc & 0xfff) == 0x297);
    CHECK((ld & 0xfffff) == (0x3003 | 5 << 15 | 6 << 7));
    CHECK(word(plt, at + 8, 4) == 0x30067);
    return word(slots, entry + static_cast<u64>(upper(auipc) + low_i(ld)) - slots.target.value, 8);
  }
};

module_builder<riscv64_numbers> builder_with_sections(bool sections = true) {
  module_builder<riscv64_numbers> b{"demo"};
  if (sections) {
    b.text(bytes_of({0}), ".plt");
    b.rodata(bytes_of({0}), ".got");
    b.rodata(bytes_of({0}), ".got.plt");
  }
  return b;
}

} // namespace

TEST_CASE_TEMPLATE("module sections: counted, grown, one entry an address", Abi, linux_modules,
                   old_modules) {
  auto b = builder_with_sections();
  u32 const text = b.text(byte_vector(128)), other = b.text(byte_vector(64), ".text.other");
  u32 const data = b.writable(byte_vector(16));
  u32 const far = b.undefined("far"), too = b.undefined("far_too"), near = b.undefined("near");
  u32 const label = b.symbol("label", text, 32, 0);
  b.rela(text, 0, 19, far, 0);
  b.rela(text, 8, 19, near, 0);
  b.rela(text, 16, 19, far, 8); // the address of far_too
  b.rela(text, 24, 19, far, 0); // counted once
  b.rela(text, 32, 20, near, 0);
  b.rela(text, 36, 24, label, 0);
  b.rela(text, 40, 20, near, 0);
  b.rela(text, 44, 20, far, 16);
  b.rela(other, 0, 19, too, 0);
  b.rela(other, 8, 19, far, 0); // counted again: another section
  b.rela(data, 0, 2, too, 1);
  loaded<config<Abi>> l{b.build().bytes};
  auto const& plt = l.section(".plt");
  auto const& got = l.section(".got");
  auto const& slots = l.section(".got.plt");
  auto const& code = l.section(".text");
  auto const& code2 = l.section(".text.other");
  CHECK(plt.bytes.size() == (5 + 1) * 12);
  CHECK(slots.bytes.size() == (5 + 1) * 8);
  CHECK(got.bytes.size() == (2 + 1) * 8);
  for (auto const* s : {&plt, &got, &slots})
    CHECK(s->target.value % 64 == 0);

  CHECK(l.call_target(code, 0) == plt.target.value);
  CHECK(l.call_target(code, 8) == near_by);
  CHECK(l.call_target(code, 16) == plt.target.value + 12);
  CHECK(l.call_target(code, 24) == plt.target.value);
  CHECK(l.call_target(code2, 0) == plt.target.value + 12);
  CHECK(l.call_target(code2, 8) == plt.target.value);
  CHECK(l.through_plt(plt, slots, plt.target.value) == far_away);
  CHECK(l.through_plt(plt, slots, plt.target.value + 12) == far_away + 8);
  for (u64 at = 24; at < plt.bytes.size(); at += 4)
    CHECK(l.word(plt, at, 4) == 0);

  CHECK(l.word(got, 0, 8) == near_by);
  CHECK(l.word(got, 8, 8) == far_away + 16);
  CHECK(l.word(got, 16, 8) == 0);
  CHECK(l.call_target(code, 32) == got.target.value);
  CHECK(code.target.value + 40 + static_cast<u64>(upper(l.word(code, 40, 4))) ==
        ((got.target.value - code.target.value - 40 + 0x800) & ~u64{0xfff}) + code.target.value +
            40);
  CHECK(l.word(l.section(".data"), 0, 8) == far_away + 9);
}

TEST_CASE("module sections: all three or none") {
  char const* const all[] = {".plt", ".got", ".got.plt"};
  for (unsigned some = 1; some < 7; ++some) {
    module_builder<riscv64_numbers> b{"demo"};
    for (unsigned i = 0; i < 3; ++i)
      if ((some >> i & 1) != 0)
        b.text(bytes_of({0}), all[i]);
    loaded<config<linux_modules>> l{b.build().bytes};
    REQUIRE(!l.m);
    CHECK(l.m.error().code == errc::arch_section_missing);
    CHECK(l.m.error().os_errno() == e_noexec);
    CHECK(l.m.error().name(error::subject) == ((some & 1) == 0   ? "PLT"
                                               : (some & 2) == 0 ? "GOT"
                                                                 : "GOT.PLT"));
  }
}

TEST_CASE("without module sections a far call is an error, R_RISCV_CALL always is") {
  for (bool sections : {false, true})
    for (u32 type : {18u, 19u}) {
      auto b = builder_with_sections(sections);
      b.rela(b.text(byte_vector(16)), 0, type, b.undefined("far"), 0);
      b.rela(b.text(byte_vector(16), ".text.b"), 0, 19, b.undefined("far_too"), 0);
      loaded<config<linux_modules>> l{b.build().bytes};
      CHECK(l.m.has_value() == (sections && type == 19));
      if (!l.m)
        CHECK(l.m.error().code == errc::reloc_pc_reach);
    }
}

TEST_CASE("a far PLT32 in data takes an entry only while there is one") {
  for (int calls : {0, 1}) {
    auto b = builder_with_sections();
    u32 const text = b.text(byte_vector(16));
    u32 const data = b.writable(byte_vector(16));
    b.rela(data, 0, 59, b.undefined("far"), 0);
    b.rela(data, 4, 59, b.undefined("far_too"), 0);
    if (calls != 0)
      b.rela(text, 0, 19, b.undefined("near"), 0);
    loaded<config<linux_modules>> l{b.build().bytes};
    REQUIRE(!l.m);
    CHECK(l.m.error().code == (calls == 0 ? errc::reloc_pc_reach : errc::reloc_no_slot));
    CHECK(l.m.error().index == static_cast<u32>(calls));
  }
}

TEST_CASE("without module sections the loader makes a GOT of its own") {
  auto b = builder_with_sections(false);
  u32 const text = b.text(byte_vector(32));
  u32 const near = b.undefined("near");
  b.rela(text, 0, 20, near, 0);
  b.rela(text, 4, 24, b.symbol("label", text, 0, 0), 0);
  b.rela(text, 8, 41, near, 0);
  b.rela(text, 12, 41, b.undefined("far"), 0);
  loaded<config<linux_modules>> l{b.build().bytes};
  auto const& got = l.section(".got");
  auto const& code = l.section(".text");
  CHECK(l.word(got, 0, 8) == near_by);
  CHECK(l.word(got, 8, 8) == far_away);
  CHECK(l.call_target(code, 0) == got.target.value);
  CHECK(static_cast<u32>(l.word(code, 8, 4) + code.target.value + 8) ==
        static_cast<u32>(got.target.value));
  CHECK(static_cast<u32>(l.word(code, 12, 4) + code.target.value + 12) ==
        static_cast<u32>(got.target.value + 8));
}

TEST_CASE("plain objects: stubs for calls of every kind, no sums from 0") {
  elf_builder<elf::elf64_le> b{243};
  u32 const text = b.section(".text", elf::sht_progbits, elf::shf_alloc | elf::shf_execinstr,
                             byte_vector(64), 4);
  u32 const far = b.undefined("far"), too = b.undefined("far_too");
  b.rela(text, 0, 19, far, 0);
  b.rela(text, 8, 18, far, 0);
  b.rela(text, 16, 17, far, 0);
  b.rela(text, 20, 59, too, 0);
  b.rela(text, 24, 20, too, 0);
  b.data(text)[32] = std::byte{5};
  b.rela(text, 32, 35, b.symbol("seven", elf::shn_abs, 7), 0);
  loaded<config<far_objects>> l{b.build().bytes};
  auto const& code = l.section(".text");
  auto const& plt = l.section(".plt");
  auto const& got = l.section(".got");
  CHECK(l.call_target(code, 0) == plt.target.value);
  CHECK(l.call_target(code, 8) == plt.target.value);
  CHECK(code.target.value + 16 + static_cast<u64>(immediate(17, l.word(code, 16, 4))) ==
        plt.target.value);
  CHECK(static_cast<u32>(code.target.value + 20 + l.word(code, 20, 4)) ==
        static_cast<u32>(plt.target.value + 12));
  CHECK(l.through_plt(plt, got, plt.target.value) == far_away);
  CHECK(l.through_plt(plt, got, plt.target.value + 12) == far_away + 8);
  CHECK(l.word(got, 0, 8) == far_away + 8);
  CHECK(l.word(code, 32, 4) == 12);
}

TEST_CASE("a value that Linux takes for an error code is no address") {
  auto load = [](char const* name, bool weak) {
    auto b = builder_with_sections();
    b.rela(b.writable(byte_vector(16)), 0, 2, b.undefined(name, weak), 0);
    loaded<config<linux_modules>> l{b.build().bytes};
    return l.m ? errc::ok : l.m.error().code;
  };
  CHECK(load("error", false) == errc::reloc_error_value);
  CHECK(load("error", true) == errc::ok);
  CHECK(load("no_error", false) == errc::ok);
}

TEST_CASE("an object of the other class or of another machine is refused") {
  arch::riscv64::format::ehdr h{};
  h.e_machine = 243;
  h.e_ident[4] = 2;
  CHECK(arch::riscv64::accepts(h));
  h.e_ident[4] = 1;
  CHECK(!arch::riscv64::accepts(h));
  h.e_ident[4] = 2;
  h.e_machine = 62;
  CHECK(!arch::riscv64::accepts(h));
}
