// SPDX-License-Identifier: MIT
// LoongArch64: the rules at their limits, the stack of the old ABI, pages, and GOT and PLT as Linux
// makes them.
#include "reloc/bench.hpp"
#include "support/module_builder.hpp"
#include "verify/load_linux.hpp"

#include <kmodld/arch/loongarch64.hpp>

#include <doctest/doctest.h>

using namespace kmodld;
using namespace kmodld::test;

namespace {

using loong = arch::loongarch64;
using bench = reloc_bench<loong>;

constexpr u64 at = 24; ///< of the place, in the middle of the section

errc one(bench& b, u32 type, u64 s, u32 old = 0, i64 addend = 0) {
  b.relocations.clear();
  b.values.resize(1);
  b.add(at, type, b.symbol(s), addend);
  b.put(at, old);
  return b.run();
}

/// Pushes `values`, applies `operations`, pops by `pop`.
errc stack(bench& b, std::initializer_list<u64> values, std::initializer_list<u32> operations,
           u32 pop, u32 old = 0) {
  b.relocations.clear();
  b.values.resize(1);
  for (u64 v : values)
    b.add(0, 23, b.symbol(v - 3), 3);
  for (u32 type : operations)
    b.add(0, type, 0);
  b.add(at, pop, 0);
  b.put(at, old);
  return b.run();
}

u32 field_16(u64 v) { return static_cast<u32>(v & 0xffff) << 10; }

} // namespace

TEST_CASE("loongarch64: names and headers") {
  loong::format::ehdr h{};
  h.e_machine = 258;
  h.e_ident[4] = elf::class_64;
  CHECK(loong::accepts(h));
  h.e_ident[4] = elf::class_32;
  CHECK_FALSE(loong::accepts(h));
  CHECK(arch_policy<loong>);
}

TEST_CASE("loongarch64: words") {
  bench b;
  REQUIRE(one(b, 1, 0x1ffffffff, 0x55, 2) == errc::ok);
  CHECK(b.word(at) == 1);
  REQUIRE(one(b, 2, 0x9000000012345678, 0x55, -8) == errc::ok);
  CHECK(b.word64(at) == 0x9000000012345670);
  REQUIRE(one(b, 99, 0x40000000 + at, 0, -4) == errc::ok);
  CHECK(b.word(at) == 0xfffffffc);
  REQUIRE(one(b, 109, 0x9000000000000000, 0) == errc::ok);
  CHECK(b.word64(at) == 0x9000000000000000 - 0x40000000 - at);
  for (u32 type : {0u, 20u, 21u, 100u}) {
    REQUIRE(one(b, type, 5, 0x1234) == errc::ok);
    CHECK(b.word(at) == 0x1234);
  }
}

TEST_CASE("loongarch64: sums in place") {
  bench b;
  b.original[at + 4] = std::byte{0xee};
  REQUIRE(one(b, 50, 5, 0xfffffffe) == errc::ok);
  CHECK(b.word(at) == 3);
  CHECK(b.word(at + 4) == 0xee);
  REQUIRE(one(b, 55, 5, 3) == errc::ok);
  CHECK(b.word(at) == 0xfffffffe);
  REQUIRE(one(b, 51, 0x100000000, 7) == errc::ok);
  CHECK(b.word64(at) == 0x000000ef00000007);
  REQUIRE(one(b, 56, 0x100000000, 7) == errc::ok);
  CHECK(b.word64(at) == 0x000000ed00000007);
  REQUIRE(one(b, 47, 0x1ff, 0x55555502) == errc::ok);
  CHECK(b.word(at) == 0x55555501);
  REQUIRE(one(b, 52, 3, 0x55555502) == errc::ok);
  CHECK(b.word(at) == 0x555555ff);
  REQUIRE(one(b, 48, 0xffff, 0x55550002) == errc::ok);
  CHECK(b.word(at) == 0x55550001);
  REQUIRE(one(b, 53, 3, 0x55550002) == errc::ok);
  CHECK(b.word(at) == 0x5555ffff);
  REQUIRE(one(b, 105, 0x3f, 0xc2) == errc::ok);
  CHECK(b.word(at) == 0xc1);
  REQUIRE(one(b, 106, 3, 0xc2) == errc::ok);
  CHECK(b.word(at) == 0xff);
  // A pair at one place.
  b.relocations = {b.make(at, 50, 1, 0x10), b.make(at, 55, 2, 0)};
  b.values = {0, 0x40000100, 0x40000080};
  b.put(at, 0);
  REQUIRE(b.run() == errc::ok);
  CHECK(b.word(at) == 0x90);
}

TEST_CASE("loongarch64: ULEB128 keeps its length and ends with the section") {
  bench b;
  REQUIRE(one(b, 107, 0x1234, 0xaa008080) == errc::ok);
  CHECK(b.word(at) == 0xaa00a4b4);
  REQUIRE(one(b, 108, 1, 0xaa008080) == errc::ok);
  CHECK(b.word(at) == 0xaa7fffff);
  REQUIRE(one(b, 107, 1, 0x7f) == errc::ok);
  CHECK(b.word(at) == 0);
  b.relocations = {b.make(62, 107, 0, 0)};
  b.original[62] = b.original[63] = std::byte{0x80};
  CHECK(b.run() == errc::reloc_overflow);
  b.relocations = {b.make(32, 107, 0, 0)};
  for (std::size_t i = 32; i < 42; ++i)
    b.original[i] = std::byte{0x80};
  CHECK(b.run() == errc::reloc_overflow);
  b.original[41] = std::byte{1};
  CHECK(b.run() == errc::ok);
}

TEST_CASE("loongarch64: branches reach their field's limits and no further") {
  struct {
    u32 type;
    unsigned bits;
    u32 opcode;
  } const rules[] = {
      {64, 18, 0x58000085}, {65, 23, 0x40000080}, {66, 28, 0x54000000}, {103, 22, 0x18000004}};
  for (auto const& r : rules) {
    CAPTURE(r.type);
    i64 const half = i64{1} << (r.bits - 1);
    for (i64 v : {-half, -half + 4, i64{-4}, i64{0}, i64{4}, half - 4}) {
      CAPTURE(v);
      bench b;
      REQUIRE(one(b, r.type, b.place.value + at + static_cast<u64>(v) - 8, r.opcode, 8) ==
              errc::ok);
      u64 const words = static_cast<u64>(v >> 2);
      u32 const imm = r.type == 103  ? static_cast<u32>(words & 0xfffff) << 5
                      : r.type == 64 ? field_16(words)
                      : r.type == 65 ? field_16(words) | static_cast<u32>(words >> 16 & 0x1f)
                                     : field_16(words) | static_cast<u32>(words >> 16 & 0x3ff);
      CHECK(b.word(at) == (r.opcode | imm));
    }
    for (i64 v : {-half - 4, half}) {
      bench b;
      errc const code = one(b, r.type, b.place.value + at + static_cast<u64>(v));
      CHECK(code == (r.type == 66 ? errc::reloc_no_slot : errc::reloc_overflow));
      CHECK(b.err.os_errno() == e_noexec);
    }
    for (i64 v : {1, 2, 3}) {
      bench b;
      CHECK(one(b, r.type, b.place.value + at + static_cast<u64>(v)) == errc::reloc_misaligned);
    }
  }
}

TEST_CASE("loongarch64: CALL36") {
  struct {
    i64 v;
    u32 high, low;
  } const cases[] = {{0, 0, 0},
                     {0x1fffc, 0, 0x7fff},
                     {0x20000, 1, 0x8000},
                     {-4, 0, 0xffff},
                     {-0x20004, 0xfffff, 0x7fff},
                     {(i64{1} << 37) - 0x20004, 0x7ffff, 0x7fff},
                     {-(i64{1} << 37) - 0x20000, 0x80000, 0x8000}};
  for (auto const& c : cases) {
    CAPTURE(c.v);
    bench b;
    b.put(at + 4, 0x4c000181);
    REQUIRE(one(b, 110, b.place.value + at + static_cast<u64>(c.v), 0x1e00000c) == errc::ok);
    CHECK(b.word(at) == (0x1e00000c | c.high << 5));
    CHECK(b.word(at + 4) == (0x4c000181 | c.low << 10));
  }
  bench b;
  for (i64 v : {(i64{1} << 37) - 0x20000, -(i64{1} << 37) - 0x20004})
    CHECK(one(b, 110, b.place.value + at + static_cast<u64>(v)) == errc::reloc_overflow);
  CHECK(one(b, 110, b.place.value + at + 2) == errc::reloc_misaligned);
  b.relocations = {b.make(57, 110, 0, 0)};
  CHECK(b.run() == errc::reloc_offset);
}

TEST_CASE("loongarch64: pages") {
  struct {
    u64 s;
    u32 page; ///< of PCALA_HI20 from 0x40000000
  } const cases[] = {{0x40000000, 0},       {0x400007ff, 0},        {0x40000800, 1},
                     {0x3fffffff, 0},       {0x3ffff7ff, 0xfffff},  {0xbffff7ff, 0x7ffff},
                     {0xbffff800, 0x80000}, {0x9000000040001000, 1}};
  for (auto const& c : cases) {
    CAPTURE(c.s);
    bench b;
    REQUIRE(one(b, 71, c.s + 8, 0x1a000004, -8) == errc::ok);
    CHECK(b.word(at) == (0x1a000004 | c.page << 5));
    REQUIRE(one(b, 72, c.s + 8, 0x02c00084, -8) == errc::ok);
    CHECK(b.word(at) == (0x02c00084 | static_cast<u32>(c.s & 0xfff) << 10));
  }
  // What HI20 and its sign leave over.
  bench b;
  REQUIRE(one(b, 73, 0x9000123440001234, 0x16000004) == errc::ok);
  CHECK(b.word(at) == (0x16000004 | 0x01234 << 5));
  REQUIRE(one(b, 74, 0x9000123440001234, 0x03000084) == errc::ok);
  CHECK(b.word(at) == (0x03000084 | 0x900 << 10));
  REQUIRE(one(b, 73, 0x00000005c0001234, 0x16000004) == errc::ok);
  CHECK(b.word(at) == (0x16000004 | 6 << 5)); // HI20 is negative there
  REQUIRE(one(b, 74, 0x40000000 - 0x1000, 0x03000084) == errc::ok);
  CHECK(b.word(at) == (0x03000084 | 0 << 10));
  // Absolute.
  u64 const v = 0x9012345678abcdef;
  REQUIRE(one(b, 67, v) == errc::ok);
  CHECK(b.word(at) == 0x78abc << 5);
  REQUIRE(one(b, 68, v) == errc::ok);
  CHECK(b.word(at) == 0xdef << 10);
  REQUIRE(one(b, 69, v) == errc::ok);
  CHECK(b.word(at) == 0x23456 << 5);
  REQUIRE(one(b, 70, v) == errc::ok);
  CHECK(b.word(at) == 0x901 << 10);
}

TEST_CASE("loongarch64: what the stack computes") {
  bench b;
  auto value = [&](std::initializer_list<u64> in, std::initializer_list<u32> operations) {
    REQUIRE(stack(b, in, operations, 46) == errc::ok);
    return b.word(at);
  };
  CHECK(value({7}, {}) == 7);
  CHECK(value({7, 5}, {32}) == 2);
  CHECK(value({7, 5}, {35}) == 12);
  CHECK(value({7, 5}, {36}) == 5);
  CHECK(value({7, 5}, {33}) == 224);
}

TEST_CASE("loongarch64: arithmetic is signed and 64 bits wide") {
  bench b;
  // -8 >> 1
  REQUIRE(stack(b, {static_cast<u64>(-8), 1}, {34}, 40) == errc::ok);
  CHECK(b.word(at) == 0xffc << 10);
  // A shift by 64 is no shift.
  REQUIRE(stack(b, {5, 64}, {33}, 46) == errc::ok);
  CHECK(b.word(at) == 5);
  REQUIRE(stack(b, {5, ~u64{0}}, {34}, 46) == errc::ok);
  CHECK(b.word(at) == 0);
  REQUIRE(stack(b, {1, 10, 20}, {37}, 46) == errc::ok);
  CHECK(b.word(at) == 10);
  REQUIRE(stack(b, {0, 10, 20}, {37}, 46) == errc::ok);
  CHECK(b.word(at) == 20);
  REQUIRE(stack(b, {9}, {24, 35}, 46) == errc::ok);
  CHECK(b.word(at) == 18);
  // PUSH_PCREL and PUSH_PLT_PCREL subtract their own place.
  for (u32 push : {22u, 29u}) {
    b.values = {0, 0x40000100};
    b.relocations = {b.make(8, push, 1, 4), b.make(at, 46, 0, 0)};
    REQUIRE(b.run() == errc::ok);
    CHECK(b.word(at) == 0xfc);
  }
}

TEST_CASE("loongarch64: POP fields at their limits") {
  struct {
    u32 type;
    i64 low, high;
    unsigned align;
  } const rules[] = {{39, 0, 0xfff, 1},
                     {40, -0x800, 0x7ff, 1},
                     {41, -0x8000, 0x7fff, 1},
                     {42, -0x20000, 0x1fffc, 4},
                     {43, -0x80000, 0x7ffff, 1},
                     {44, -0x400000, 0x3ffffc, 4},
                     {45, -0x8000000, 0x7fffffc, 4},
                     {46, 0, 0xffffffff, 1}};
  for (auto const& r : rules) {
    CAPTURE(r.type);
    for (i64 v : {r.low, i64{0}, i64{4}, r.high}) {
      CAPTURE(v);
      bench b;
      REQUIRE(stack(b, {static_cast<u64>(v)}, {}, r.type) == errc::ok);
      u64 const u = static_cast<u64>(v), w = u >> 2;
      u32 const expected = r.type <= 40   ? static_cast<u32>(u & 0xfff) << 10
                           : r.type == 41 ? field_16(u)
                           : r.type == 42 ? field_16(w)
                           : r.type == 43 ? static_cast<u32>(u & 0xfffff) << 5
                           : r.type == 44 ? field_16(w) | static_cast<u32>(w >> 16 & 0x1f)
                           : r.type == 45 ? field_16(w) | static_cast<u32>(w >> 16 & 0x3ff)
                                          : static_cast<u32>(u);
      CHECK(b.word(at) == expected);
      if (r.type != 46) { // the rest of the instruction stays
        u32 const all = r.type == 43 ? 0xfe00001f : 0xfc000000;
        REQUIRE(stack(b, {u}, {}, r.type, all) == errc::ok);
        CHECK(b.word(at) == (expected | all));
      }
    }
    for (i64 v : {r.low - r.align, r.high + r.align}) {
      bench b;
      CHECK(stack(b, {static_cast<u64>(v)}, {}, r.type) == errc::reloc_overflow);
      CHECK(b.err.number[1] == static_cast<u64>(v));
    }
    if (r.align == 4) {
      bench b;
      CHECK(stack(b, {2}, {}, r.type) == errc::reloc_misaligned);
      CHECK(stack(b, {static_cast<u64>(r.high) + 1}, {}, r.type) == errc::reloc_misaligned);
    }
  }
}

TEST_CASE("loongarch64: the stack has sixteen places and an end") {
  bench b;
  auto pushes = [&](std::size_t n) {
    b.relocations.clear();
    for (std::size_t i = 0; i < n; ++i)
      b.add(0, 23, 0, static_cast<i64>(i));
  };
  pushes(16);
  CHECK(b.run() == errc::ok); // what is left on it is nobody's concern, as in Linux
  pushes(17);
  CHECK(b.run() == errc::reloc_stack);
  CHECK(b.err.index == 16);
  CHECK(b.err.os_errno() == e_noexec);
  pushes(16);
  b.add(0, 24, 0);
  CHECK(b.run() == errc::reloc_stack);
  for (u32 type : {24u, 32u, 33u, 34u, 35u, 36u, 37u, 39u, 46u}) {
    CAPTURE(type);
    std::size_t const needed = type == 37 ? 3 : type >= 32 && type <= 36 ? 2 : 1;
    for (std::size_t n = 0; n <= needed; ++n) {
      pushes(n);
      b.add(0, type, 0);
      CHECK(b.run() == (n == needed ? errc::ok : errc::reloc_stack));
    }
  }
  // It does not outlive its section.
  pushes(1);
  REQUIRE(b.run() == errc::ok);
  b.relocations = {b.make(0, 46, 0, 0)};
  CHECK(b.run() == errc::reloc_stack);
}

TEST_CASE("loongarch64: what is refused") {
  bench b;
  for (u32 type : {15u, 19u, 49u, 59u, 63u, 127u, 0xffffffffu}) {
    CHECK(one(b, type, 1) == errc::reloc_unknown_type);
    CHECK(b.err.os_errno() == e_inval);
  }
  for (u32 type : {3u, 25u, 30u, 31u, 38u, 101u, 102u}) {
    CHECK(one(b, type, 1) == errc::reloc_unsupported);
    CHECK(b.err.number[1] == type);
    CHECK(b.err.os_errno() == e_inval);
  }
  for (u32 type : {6u, 13u, 26u, 83u, 98u, 111u, 126u})
    CHECK(one(b, type, 1) == errc::reloc_tls);
  for (u32 type : {75u, 76u, 77u, 79u, 82u})
    CHECK(one(b, type, 1) == errc::reloc_no_slot);
  for (u32 type : {47u, 64u, 65u, 67u, 77u, 79u, 100u, 103u, 105u, 107u, 110u}) {
    b.relocations = {b.make(at, type, 0, 0)};
    CHECK(b.run<false>() == errc::reloc_unknown_type);
  }
  for (u32 type : {1u, 39u, 50u, 66u, 71u, 72u, 73u, 75u}) {
    b.relocations = {b.make(61, type, 0, 0)};
    CHECK(b.run() == errc::reloc_offset);
  }
}

TEST_CASE("loongarch64: the PLT entry, byte by byte") {
  std::byte code[16];
  loong::write_plt_entry(code, 0x9012345678abcdec);
  u32 const expected[] = {0x14000000 | 0x78abc << 5 | 13, 0x16000000 | 0x23456 << 5 | 13,
                          0x03000000 | 0x901 << 10 | 13 << 5 | 13,
                          0x4c000000 | (0xdec >> 2) << 10 | 13 << 5};
  for (int i = 0; i < 4; ++i)
    CHECK(loong::format::word32::load(code + i * 4) == expected[i]);
}

namespace {

struct loongarch64_numbers {
  using format = elf::elf64_le;
  [[maybe_unused]] static constexpr u32 machine = 258, word = 2, prel32 = 99;
  [[maybe_unused]] static constexpr bool rela = true, relative_exports = false;
};
using builder = module_builder<loongarch64_numbers>;

struct loaded {
  verify::outcome o;
  verify::loaded_section const& operator[](std::string_view name) const {
    for (verify::loaded_section const& s : o.sections)
      if (s.name == name)
        return s;
    static verify::loaded_section const none;
    return none;
  }
  u32 word(std::string_view name, u64 offset) const {
    return elf::elf64_le::word32::load(&(*this)[name].bytes.at(offset));
  }
  u64 word64(std::string_view name, u64 offset) const {
    return elf::elf64_le::word::load(&(*this)[name].bytes.at(offset));
  }
};

constexpr u64 core = 0xffff800002000000;

loaded load(builder const& m, std::map<std::string, u64> undefined) {
  verify::record r;
  r.regions = {{"core", core, 0}, {"init", core + 0x1000000, 0}};
  r.undefined = std::move(undefined);
  loaded l;
  auto file = m.build();
  verify::load_linux_as<verify::verify_config<arch::loongarch64, false, 4096, false>>(
      r, {}, file.bytes, l.o);
  return l;
}

void plt_sections(builder& m) {
  m.rodata(byte_vector(1), ".got");
  m.text(byte_vector(1), ".plt");
  m.rodata(byte_vector(1), ".plt.idx");
}

} // namespace

TEST_CASE("loongarch64: GOT and PLT of a module") {
  builder m{"demo"};
  plt_sections(m);
  u32 const text = m.text(byte_vector(128));
  u32 const near = m.undefined("near"), b = m.undefined("b"), a = m.undefined("a"),
            far = m.undefined("far");
  // In the file the far symbols of higher number come first; Linux sorts.
  m.rela(text, 0, 66, far, 0);
  m.rela(text, 4, 66, b, 0);
  m.rela(text, 8, 66, far, 0);
  m.rela(text, 12, 66, far, 4);
  m.rela(text, 16, 66, near, 0);
  m.rela(text, 20, 75, far, 0);
  m.rela(text, 24, 76, far, 0);
  m.rela(text, 28, 75, a, 0);
  m.rela(text, 32, 75, b, 0); // the same value as a: one slot
  u64 const there = 0x9000000000400000;
  loaded const l =
      load(m, {{"near", core + 0x4000}, {"a", there}, {"b", there}, {"far", there + 0x1234c}});
  REQUIRE(l.o.refused == "");
  CHECK(l.o.complaints.empty());
  // near, b, far, far+4; b, a, far; and one more of each.
  CHECK(l[".plt"].size == 5 * 16);
  CHECK(l[".plt.idx"].size == 5 * 8);
  CHECK(l[".got"].size == 4 * 8);
  u64 const plt = l[".plt"].address, got = l[".got"].address, p = l[".text"].address;
  CHECK(plt % 64 == 0);
  CHECK(got % 64 == 0);
  CHECK(l.word64(".plt.idx", 0) == there);
  CHECK(l.word64(".plt.idx", 8) == there + 0x1234c);
  CHECK(l.word64(".plt.idx", 16) == there + 0x12350);
  CHECK(l.word64(".plt.idx", 24) == 0);
  CHECK(l.word64(".got", 0) == there);
  CHECK(l.word64(".got", 8) == there + 0x1234c);
  CHECK(l.word64(".got", 16) == 0);
  CHECK(l.word(".plt", 0) == (0x14000000 | 0x00400 << 5 | 13));
  CHECK(l.word(".plt", 4) == (0x16000000 | 13));
  CHECK(l.word(".plt", 8) == (0x03000000 | 0x900 << 10 | 13 << 5 | 13));
  CHECK(l.word(".plt", 12) == (0x4c000000 | 13 << 5));
  auto branch = [](u64 v) { return field_16(v >> 2) | static_cast<u32>(v >> 18 & 0x3ff); };
  CHECK(l.word(".text", 0) == branch(plt + 16 - p));
  CHECK(l.word(".text", 4) == branch(plt - p - 4));
  CHECK(l.word(".text", 8) == branch(plt + 16 - p - 8));
  CHECK(l.word(".text", 12) == branch(plt + 32 - p - 12));
  CHECK(l.word(".text", 16) == branch(core + 0x4000 - p - 16));
  auto page = [&](u64 slot, u64 place) {
    return static_cast<u32>((((slot + 0x800) >> 12) - (place >> 12)) & 0xfffff) << 5;
  };
  CHECK(l.word(".text", 20) == page(got + 8, p));
  CHECK(l.word(".text", 24) == static_cast<u32>((got + 8) & 0xfff) << 10);
  CHECK(l.word(".text", 28) == page(got, p));
  CHECK(l.word(".text", 32) == page(got, p));
}

TEST_CASE("loongarch64: a GOT reference that nobody counted") {
  builder m{"demo"};
  plt_sections(m);
  u32 const text = m.text(byte_vector(16));
  m.rela(text, 0, 76, m.undefined("f"), 0);
  loaded const l = load(m, {{"f", 0x9000000000400000}});
  CHECK(l.o.refused.starts_with("EINVAL: demo: module contains bad GOT relocation"));
}

TEST_CASE("loongarch64: sections that a module must have") {
  for (std::string_view missing : {".got", ".plt", ".plt.idx"}) {
    builder m{"demo"};
    for (std::string_view name : {".got", ".plt", ".plt.idx"})
      if (name != missing)
        m.rodata(byte_vector(1), name);
    std::string const called = missing == ".got" ? "GOT" : missing == ".plt" ? "PLT" : "PLT.IDX";
    CHECK(load(m, {}).o.refused == "ENOEXEC: demo: module " + called + " section(s) missing");
  }
}

TEST_CASE("loongarch64: stack relocations are applied in the file's order") {
  builder m{"demo"};
  plt_sections(m);
  u32 const text = m.text(byte_vector(16));
  u32 const low = m.symbol("low", text, 0), high = m.symbol("high", text, 8);
  m.rela(text, 4, 22, high, 0);
  m.rela(text, 4, 22, low, 0);
  m.rela(text, 4, 32, 0, 0);
  m.rela(text, 4, 42, 0, 0);
  loaded const l = load(m, {});
  REQUIRE(l.o.refused == "");
  CHECK(l.word(".text", 4) == 2 << 10);
}

TEST_CASE("loongarch64: a call by the stack goes through the PLT, too") {
  builder m{"demo"};
  plt_sections(m);
  u32 const text = m.text(byte_vector(16));
  m.rela(text, 4, 29, m.undefined("far"), 0);
  m.rela(text, 4, 45, 0, 0);
  loaded const l = load(m, {{"far", 0x9000000000400000}});
  REQUIRE(l.o.refused == "");
  CHECK(l[".plt"].size == 32);
  u64 const v = l[".plt"].address - l[".text"].address - 4;
  CHECK(l.word(".text", 4) == (field_16(v >> 2) | static_cast<u32>(v >> 18 & 0x3ff)));
}

TEST_CASE("loongarch64: values of Linux's error codes") {
  builder m{"demo"};
  plt_sections(m);
  u32 const data = m.writable(byte_vector(8));
  m.rela(data, 0, 2, m.undefined("f"), 0);
  CHECK(load(m, {{"f", 0xfffffffffffff000}}).o.refused == "");
  CHECK(load(m, {{"f", 0xfffffffffffff001}}).o.refused.starts_with("ENOENT"));
}
