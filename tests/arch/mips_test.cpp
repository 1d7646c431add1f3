// SPDX-License-Identifier: MIT
// MIPS: the rules at their limits, HI16 and LO16 of both ABIs, jumps and their stubs, the GOT of
// n64.
#include "reloc/bench.hpp"
#include "support/module_builder.hpp"
#include "verify/load_linux.hpp"

#include <kmodld/arch/mips.hpp>

#include <doctest/doctest.h>

using namespace kmodld;
using namespace kmodld::test;

namespace {

constexpr u64 at = 24; ///< of the place, in the middle of the section

template <class Arch>
constexpr bool is_64 = Arch::format::bits == 64;

/// One relocation whose value is `v`; o32 gets its addend by the word that stands there.
template <class Arch>
errc one(reloc_bench<Arch>& b, u32 type, u64 s, u32 old = 0, i64 addend = 0) {
  b.relocations.clear();
  b.values.resize(1);
  b.add(at, type, b.symbol(s), addend);
  b.put(at, old);
  return b.run();
}

/// Branches by words: 16, 21, 26 and 19 bits.
struct branch_rule {
  u32 type;
  unsigned bits;
};
constexpr branch_rule branches[] = {{10, 16}, {60, 21}, {61, 26}, {63, 19}};

} // namespace

#define MIPS_ALL arch::mips64el, arch::mips64, arch::mipsel, arch::mips

TEST_CASE_TEMPLATE("mips: names and headers", A, MIPS_ALL) {
  typename A::format::ehdr h{};
  h.e_machine = 8;
  h.e_ident[4] = A::format::elf_class;
  h.e_ident[5] = A::format::elf_data;
  CHECK(A::accepts(h));
  h.e_ident[5] = static_cast<u8>(3 - A::format::elf_data);
  CHECK_FALSE(A::accepts(h));
  h.e_ident[5] = A::format::elf_data;
  h.e_ident[4] = static_cast<u8>(3 - A::format::elf_class);
  CHECK_FALSE(A::accepts(h));
  CHECK(arch_policy<A>);
  CHECK(sizeof(typename A::relocation) == (is_64<A> ? 24u : 8u));
}

TEST_CASE("mips: r_info of n64 is five fields in both byte orders") {
  unsigned char const le[] = {1,    0, 0, 0,  0,    0,    0,    0,    0x44, 0x33, 0x22, 0x11,
                              0xaa, 3, 2, 18, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  arch::mips64el::relocation r;
  std::memcpy(&r, le, sizeof r);
  CHECK(arch::mips64el::type_of(r) == 18);
  CHECK(arch::mips64el::symbol_of(r) == 0x11223344);
  CHECK(arch::mips64el::addend_of(r) == ~u64{1});
  unsigned char const be[] = {0,    0, 0, 0,  0,    0,    0,    1,    0x11, 0x22, 0x33, 0x44,
                              0xaa, 3, 2, 18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe};
  arch::mips64::relocation b;
  std::memcpy(&b, be, sizeof b);
  CHECK(arch::mips64::type_of(b) == 18);
  CHECK(arch::mips64::symbol_of(b) == 0x11223344);
  CHECK(arch::mips64::addend_of(b) == ~u64{1});
  // GPREL16, SUB, HI16: gp as the compiler computes it.
  r.r_type = 7, r.r_type2 = 24, r.r_type3 = 5;
  CHECK(arch::mips64el::type_of(r) == 256);
  r.r_type3 = 6;
  CHECK(arch::mips64el::type_of(r) == 257);
  r.r_type3 = 18;
  CHECK(arch::mips64el::type_of(r) == 7);
  r.r_type = 12, r.r_type2 = 18, r.r_type3 = 0;
  CHECK(arch::mips64el::type_of(r) == 258);
}

TEST_CASE_TEMPLATE("mips: words", A, MIPS_ALL) {
  reloc_bench<A> b;
  REQUIRE(one(b, 2, 0xffffffff80001234, is_64<A> ? 0x5555u : 5u, 5) == errc::ok);
  CHECK(b.word(at) == 0x80001239); // RELA does not look at the place
  REQUIRE(one(b, 2, 0x100000000) == errc::ok);
  CHECK(b.word(at) == 0);
  if constexpr (is_64<A>) {
    REQUIRE(one(b, 18, 0x123456789abcdef0, 0x77, -0x10) == errc::ok);
    CHECK(b.word64(at) == 0x123456789abcdee0);
    REQUIRE(one(b, 28, 0x00007fff7fff8000) == errc::ok);
    CHECK(b.word(at) == 0x8000);
    REQUIRE(one(b, 28, 0x00007fff7fff7fff, 0x64420000) == errc::ok);
    CHECK(b.word(at) == 0x64427fff);
    REQUIRE(one(b, 29, 0x12347fff7fff8000, 0x3c020000) == errc::ok);
    CHECK(b.word(at) == 0x3c021235);
    REQUIRE(one(b, 29, 0x12347fff7fff7fff, 0x3c020000) == errc::ok);
    CHECK(b.word(at) == 0x3c021234);
  } else {
    CHECK(one(b, 18, 1) == errc::reloc_unknown_type);
    CHECK(b.err.os_errno() == e_inval);
  }
  REQUIRE(one(b, 0, 7, 0x1234) == errc::ok);
  CHECK(b.word(at) == 0x1234);
}

TEST_CASE_TEMPLATE("mips: branches reach their field's limits and no further", A, MIPS_ALL) {
  for (branch_rule const& rule : branches) {
    u32 const type = rule.type;
    unsigned const bits = rule.bits;
    CAPTURE(type);
    u32 const opcode = bits == 26 ? 0xe8000000u : bits == 21 ? 0xd8400000u : 0x10400000u << 3;
    i64 const half = i64{4} << (bits - 1);
    u32 const mask = (u32{1} << bits) - 1;
    for (i64 v : {-half, -half + 4, i64{-4}, i64{0}, i64{4}, half - 8, half - 4}) {
      CAPTURE(v);
      reloc_bench<A> b;
      u32 const old = opcode & ~mask;
      REQUIRE(one(b, type, b.place.value + at + static_cast<u64>(v), old) == errc::ok);
      CHECK(b.word(at) == (old | (static_cast<u32>(v >> 2) & mask)));
      // The addend of -4 that assemblers write.
      u32 const minus_one = is_64<A> ? old : old | mask;
      errc const code = one(b, type, b.place.value + at + static_cast<u64>(v), minus_one, -4);
      CHECK(code == (v == -half ? errc::reloc_overflow : errc::ok));
      if (v != -half)
        CHECK(b.word(at) == (old | (static_cast<u32>((v >> 2) - 1) & mask)));
    }
    for (i64 v : {-half - 4, half}) {
      reloc_bench<A> b;
      CHECK(one(b, type, b.place.value + at + static_cast<u64>(v)) == errc::reloc_overflow);
      CHECK(b.err.os_errno() == e_noexec);
    }
    for (i64 v : {i64{1}, i64{2}, i64{-1}}) {
      reloc_bench<A> b;
      CHECK(one(b, type, b.place.value + at + static_cast<u64>(v)) == errc::reloc_misaligned);
    }
  }
}

TEST_CASE_TEMPLATE("mips: a jump stays in its 256 MiB", A, MIPS_ALL) {
  reloc_bench<A> b;
  b.place = {0x4fffffe0};
  u64 const p4 = b.place.value + at + 4;
  REQUIRE((p4 & 0xf0000000) == 0x40000000);
  REQUIRE(one(b, 4, 0x40000000, 0x0c000000) == errc::ok);
  CHECK(b.word(at) == 0x0c000000);
  REQUIRE(one(b, 4, 0x4ffffffc, 0x0c000000) == errc::ok);
  CHECK(b.word(at) == 0x0fffffff);
  CHECK(one(b, 4, 0x50000000) == errc::reloc_overflow);
  CHECK(one(b, 4, 0x3ffffffc) == errc::reloc_overflow);
  CHECK(one(b, 4, 0x40000002) == errc::reloc_misaligned);
  // It is the address after the jump that counts.
  b.place = {0x4fffffe4};
  CHECK(one(b, 4, 0x4ffffffc) == errc::reloc_overflow);
  REQUIRE(one(b, 4, 0x50000000, 0x08000000) == errc::ok);
  CHECK(b.word(at) == 0x08000000);
  // Nor do addresses that differ in upper bits only lie near.
  if constexpr (is_64<A>)
    CHECK(one(b, 4, 0x150000000) == errc::reloc_overflow);
  b.place = {0x40000000};
  REQUIRE(one(b, 4, 0x40000100, is_64<A> ? 0x0c000000 : 0x0c000004, 16) == errc::ok);
  CHECK(b.word(at) == 0x0c000044);
}

TEST_CASE_TEMPLATE("mips n64: halves by themselves", A, arch::mips64el, arch::mips64) {
  reloc_bench<A> b;
  struct {
    u64 v;
    u32 hi, lo;
  } const cases[] = {{0x12347fff, 0x1234, 0x7fff},         {0x12348000, 0x1235, 0x8000},
                     {0xffffffff, 0x0000, 0xffff},         {0, 0, 0},
                     {0xffffffff80007fff, 0x8000, 0x7fff}, {0xffffffff80008000, 0x8001, 0x8000}};
  for (auto const& c : cases) {
    REQUIRE(one(b, 5, c.v - 8, 0x3c02dead, 8) == errc::ok);
    CHECK(b.word(at) == (0x3c020000 | c.hi));
    REQUIRE(one(b, 6, c.v - 8, 0x6442dead, 8) == errc::ok);
    CHECK(b.word(at) == (0x64420000 | c.lo));
  }
}

TEST_CASE_TEMPLATE("mips o32: HI16 takes the carry of its LO16", A, arch::mipsel, arch::mips) {
  struct {
    u32 s, addend, hi, lo;
  } const cases[] = {
      {0x80120000, 0x00000000, 0x8012, 0x0000}, {0x80127fff, 0, 0x8012, 0x7fff},
      {0x80128000, 0, 0x8013, 0x8000},          {0x80120000, 0x00017ffc, 0x8013, 0x7ffc},
      {0x80120000, 0x00018000, 0x8014, 0x8000}, {0x80120000, 0xffff8000, 0x8012, 0x8000},
      {0xfffffff0, 0x10, 0x0000, 0x0000}};
  for (auto const& c : cases) {
    CAPTURE(c.addend);
    reloc_bench<A> b;
    u32 const s = b.symbol(c.s);
    u32 const lo = c.addend & 0xffff, hi = (c.addend - ((lo ^ 0x8000) - 0x8000)) >> 16;
    // Two HI16 wait, another type stands between them, and a second LO16 uses the same upper half.
    b.put(0, 0x3c020000 | hi);
    b.put(4, 0x3c030000 | hi);
    b.put(8, 0x24420000 | lo);
    b.put(12, 0x24630000 | lo);
    b.add(0, 5, s);
    b.add(16, 2, s);
    b.add(4, 5, s);
    b.add(8, 6, s);
    b.add(12, 6, s);
    REQUIRE(b.run() == errc::ok);
    CHECK(b.word(0) == (0x3c020000 | c.hi));
    CHECK(b.word(4) == (0x3c030000 | c.hi));
    CHECK(b.word(8) == (0x24420000 | c.lo));
    CHECK(b.word(12) == (0x24630000 | c.lo));
  }
}

TEST_CASE_TEMPLATE("mips o32: malformed pairs", A, arch::mipsel, arch::mips) {
  reloc_bench<A> b;
  u32 const s = b.symbol(0x80120000), other = b.symbol(0x80120004), equal = b.symbol(0x80120000);
  b.add(0, 5, s);
  b.add(4, 6, other);
  CHECK(b.run() == errc::reloc_unpaired);
  CHECK(b.err.index == 1);
  CHECK(b.err.os_errno() == e_noexec);
  // What counts is the value, as in Linux.
  b.relocations[1] = b.make(4, 6, equal, 0);
  CHECK(b.run() == errc::ok);
  // One that is left over.
  b.add(8, 5, s);
  CHECK(b.run() == errc::reloc_unpaired);
  CHECK(b.err.index == 2);
  b.relocations.erase(b.relocations.begin(), b.relocations.begin() + 2);
  CHECK(b.run() == errc::reloc_unpaired);
  CHECK(b.err.index == 0);
  // Alone LO16 is well.
  b.relocations = {b.make(0, 6, s, 0)};
  CHECK(b.run() == errc::ok);
  // Bounds and symbols of a HI16 are looked at before its LO16 writes there.
  for (u64 wrong : {u64{61}, u64{64}, u64{0xffffffff}}) {
    b.relocations = {b.make(wrong, 5, s, 0), b.make(0, 6, s, 0)};
    CHECK(b.run() == errc::reloc_offset);
    CHECK(b.err.index == 0);
  }
  b.relocations = {b.make(0, 5, 99, 0), b.make(4, 6, s, 0)};
  CHECK(b.run() == errc::reloc_symbol);
}

TEST_CASE("mips o32: many HI16 cost no more than a look each") {
  reloc_bench<arch::mipsel> b;
  b.original.resize(1 << 20);
  u32 const s = b.symbol(0x80128000);
  for (u32 i = 0; i + 8 <= b.original.size(); i += 4)
    b.add(i, 5, s);
  b.add(b.original.size() - 4, 6, s);
  for (u32 i = 0; i < 100000; ++i)
    b.add(0, 6, s);
  REQUIRE(b.run() == errc::ok);
  CHECK(b.word(4) == 0x8013);
  CHECK(b.word(b.original.size() - 8) == 0x8013);
}

TEST_CASE_TEMPLATE("mips: what is refused", A, MIPS_ALL) {
  reloc_bench<A> b;
  for (u32 type : {3u, 8u, 13u, 36u, 62u, 126u, 255u}) {
    CHECK(one(b, type, 1) == errc::reloc_unknown_type);
    CHECK(b.err.number[0] == type);
    CHECK(b.err.os_errno() == e_inval);
  }
  for (u32 type = 38; type <= 50; ++type)
    CHECK(one(b, type, 1) == errc::reloc_tls);
  // Without a GOT.
  for (u32 type : {7u, 9u, 11u, 12u, 19u, 20u})
    CHECK(one(b, type, 1) == errc::reloc_no_slot);
  // Linux knows fewer.
  for (u32 type : {1u, 7u, 9u, 11u, 37u, 248u}) {
    b.relocations = {b.make(at, type, 1, 0)};
    CHECK(b.template run<false>() == errc::reloc_unknown_type);
  }
  for (u32 type : {2u, 4u, 5u, 6u, 10u, 28u, 29u, 60u, 61u}) {
    b.relocations = {b.make(61, type, 1, 0)};
    CHECK(b.run() == errc::reloc_offset);
  }
}

TEST_CASE_TEMPLATE("mips n64: the GOT by gp", A, arch::mips64el, arch::mips64) {
  reloc_bench<A> b;
  std::vector<u32> slots(4);
  b.values = {0, 0x50000000, 0x50001000, 0x50002000};
  slots[2] = 3;
  b.state.got = {0x60000000};
  b.state.got_slot = slots;
  u64 const gp = 0x60007ff0;
  auto result = [&](u32 type, u32 symbol, i64 addend) {
    b.relocations = {b.make(at, type, symbol, addend)};
    b.put(at, 0xdf820000);
    return b.run();
  };
  for (u32 type : {9u, 11u, 19u, 20u}) {
    REQUIRE(result(type, 2, 0) == errc::ok);
    CHECK(b.word(at) == (0xdf820000 | ((16 - 0x7ff0) & 0xffff)));
    CHECK(result(type, 1, 0) == errc::reloc_no_slot);
  }
  REQUIRE(result(21, 2, 0x7fff) == errc::ok);
  CHECK(b.word(at) == 0xdf827fff);
  CHECK(result(21, 2, 0x8000) == errc::reloc_overflow);
  b.values[1] = gp + 0x7fff;
  REQUIRE(result(7, 1, 0) == errc::ok);
  CHECK(b.word(at) == 0xdf827fff);
  CHECK(result(7, 1, 1) == errc::reloc_overflow);
  b.values[1] = gp - 0x8000;
  REQUIRE(result(7, 1, 0) == errc::ok);
  CHECK(b.word(at) == 0xdf828000);
  CHECK(result(7, 1, -1) == errc::reloc_overflow);
  // lui gp, %hi(%neg(%gp_rel(f))): what is missing from f to gp.
  b.values[1] = gp - 0x12348000;
  for (u8 last : {u8{5}, u8{6}}) {
    b.relocations = {b.make(at, 7, 1, 0)};
    b.relocations[0].r_type2 = 24;
    b.relocations[0].r_type3 = last;
    b.put(at, 0x3c1c0000);
    REQUIRE(b.run() == errc::ok);
    CHECK(b.word(at) == (0x3c1c0000u | (last == 5 ? 0x1235u : 0x8000u)));
  }
  b.relocations = {b.make(at, 12, 1, 0)};
  b.relocations[0].r_type2 = 18;
  REQUIRE(b.run() == errc::ok);
  CHECK(b.word64(at) == u64{0} - 0x12348000);
}

TEST_CASE_TEMPLATE("mips: the stub of a far call, byte by byte", A, MIPS_ALL) {
  std::byte code[32] = {};
  A::write_plt_entry(code, {0}, 0x123456789abcdef0);
  auto word = [&](int i) { return A::format::word32::load(code + i * 4); };
  if constexpr (is_64<A>) {
    u32 const expected[] = {0x3c191234, 0x37395678, 0x0019cc38, 0x37399abc,
                            0x0019cc38, 0x3739def0, 0x03200009, 0};
    for (int i = 0; i < 8; ++i)
      CHECK(word(i) == expected[i]);
  } else {
    u32 const expected[] = {0x3c199abc, 0x3739def0, 0x03200009, 0};
    for (int i = 0; i < 4; ++i)
      CHECK(word(i) == expected[i]);
  }
  // A jump out of its 256 MiB goes there.
  reloc_bench<A> b;
  std::vector<u32> slots(2);
  slots[1] = 2;
  b.state.plt = {0x40001000};
  b.state.plt_slot = slots;
  REQUIRE(one(b, 4, 0x80000000, 0x0c000000) == errc::ok);
  CHECK(b.word(at) == (0x0c000000 | ((0x40001000 + A::plt_entry_size) >> 2 & 0x3ffffff)));
  REQUIRE(one(b, 4, 0x40000100, 0x0c000000) == errc::ok);
  CHECK(b.word(at) == 0x0c000040);
  b.state.plt = {0x60001000};
  CHECK(one(b, 4, 0x80000000, 0x0c000000) == errc::reloc_overflow);
}

namespace {

struct mips64el_numbers {
  using format = elf::elf64_le;
  [[maybe_unused]] static constexpr u32 machine = 8, word = 18, prel32 = 248;
  [[maybe_unused]] static constexpr bool rela = true, relative_exports = false;
};
using near_config = verify::verify_config<arch::mips64el, false, 4096, false>;
struct far_config : near_config {
  struct abi : near_config::abi {
    static constexpr bool far_calls = true;
  };
};

/// A module that calls `outside`, with the r_info that n64 has.
verify::outcome load_caller(u64 outside, bool far) {
  module_builder<mips64el_numbers> m{"caller"};
  u32 const text = m.text(byte_vector(16));
  u32 const f = m.undefined("outside");
  m.raw_relocation(text, true, 4, f | u64{4} << 56, 0);
  verify::record r;
  r.regions = {{"core", 0xffffffffc0000000, 0}, {"init", 0xffffffffc0100000, 0}};
  r.undefined["outside"] = outside;
  verify::outcome o;
  auto file = m.build();
  if (far)
    verify::load_linux_as<far_config>(r, {}, file.bytes, o);
  else
    verify::load_linux_as<near_config>(r, {}, file.bytes, o);
  return o;
}

verify::loaded_section section(verify::outcome const& o, std::string_view name) {
  for (verify::loaded_section const& s : o.sections)
    if (s.name == name)
      return s;
  return {};
}

u32 word_of(verify::loaded_section const& s, u64 offset) {
  return elf::elf64_le::word32::load(&s.bytes.at(offset));
}

} // namespace

TEST_CASE("mips: a module's far call") {
  verify::outcome o = load_caller(0xffffffffc2000000, false);
  CHECK(o.refused == "");
  CHECK(o.complaints.empty());
  CHECK(word_of(section(o, ".text"), 4) == (0xc2000000u >> 2 & 0x3ffffff));
  o = load_caller(0xffffffff80123450, false);
  CHECK(o.refused.starts_with("ENOEXEC"));
  o = load_caller(0xffffffff80123450, true);
  REQUIRE(o.refused == "");
  auto const plt = section(o, ".plt");
  REQUIRE(plt.size == 32);
  CHECK(word_of(section(o, ".text"), 4) == (plt.address >> 2 & 0x3ffffff));
  CHECK(word_of(plt, 0) == 0x3c19ffff);
  CHECK(word_of(plt, 12) == 0x37398012);
  CHECK(word_of(plt, 20) == 0x37393450);
  CHECK(o.complaints.empty());
}

TEST_CASE("mips: values of Linux's error codes") {
  // An absolute one would do as well; Linux looks at the value alone.
  CHECK(load_caller(0xfffffffffffff000, false).refused.starts_with("ENOEXEC") == true);
  CHECK(load_caller(0xfffffffffffff001, false).refused.starts_with("ENOENT"));
  CHECK(load_caller(0xfffffffffffffffc, true).refused.starts_with("ENOENT"));
}
