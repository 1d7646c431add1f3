// SPDX-License-Identifier: MIT
// AArch64: PLT entries byte by byte, their order and number as Linux has them, what is refused.
// Fields and limits of the table are in rules_test.cpp, linkers' opinion in tests/linkers.
#include "reloc/bench.hpp"
#include "support/module_builder.hpp"
#include "verify/load_linux.hpp"

#include <kmodld/arch/aarch64.hpp>

#include <doctest/doctest.h>

using namespace kmodld;
using namespace kmodld::test;
using arch::aarch64;

namespace {

constexpr u64 at = 24; ///< of the place, in the middle of the section

struct bench : reloc_bench<aarch64> {
  bench() {
    place = {0xffff800010000000};
    values.push_back(0);
  }
  u64 p() const { return place.value + at; }
  errc one(u32 type, u64 s, u64 addend, u32 insn = 0) {
    relocations.clear();
    values[1] = s;
    put(at, insn);
    add(at, type, 1, static_cast<i64>(addend));
    return run();
  }
};

using le32 = elf::field<u32, elf::byte_order::little>;
u32 word_of(byte_view b, std::size_t offset) { return le32::load(&b[offset]); }

/// What ADRP, ADD, BR lead to, read as the Arm ARM draws them.
u64 leads_to(byte_view plt, std::size_t offset, u64 address) {
  u32 const adrp = word_of(plt, offset), add = word_of(plt, offset + 4);
  REQUIRE((adrp & 0x9f00001f) == 0x90000010);
  REQUIRE((add & 0xffc003ff) == 0x91000210);
  REQUIRE(word_of(plt, offset + 8) == 0xd61f0200);
  i64 const pages =
      static_cast<i64>((u64{adrp >> 5 & 0x7ffff} << 2 | (adrp >> 29 & 3)) << 43) >> 43;
  return (address & ~u64{0xfff}) + static_cast<u64>(pages) * 4096 + (add >> 10 & 0xfff);
}

} // namespace

TEST_CASE("aarch64: names and headers") {
  elf::elf64_le::ehdr h{};
  h.e_machine = 183;
  CHECK(aarch64::accepts(h));
  h.e_machine = 40;
  CHECK_FALSE(aarch64::accepts(h));
  CHECK(arch_policy<aarch64>);
  auto const w = aarch64::reach({{0xffff800010000000}, {0xffff800010100000}});
  CHECK(w.first.value == 0xffff800010100000 - 0x7ff00000);
  CHECK(w.last.value == 0xffff800010000000 + 0x7ff00000);
}

TEST_CASE("aarch64: a PLT entry leads from any page to any other within 4 GiB") {
  std::byte entry[12];
  for (u64 here : {u64{0xffff800010000000}, u64{0xffff800010000ff8}, u64{0xffff800010000ffc}})
    for (u64 distance : {u64{0}, u64{4}, u64{0xffc}, u64{0x1000}, 0 - u64{4}, 0 - u64{0x1000},
                         u64{0xfffff000} - 0x1000, 0 - u64{0xfffff000}}) {
      aarch64::write_plt_entry(entry, {here}, here + distance);
      CHECK(leads_to(entry, 0, here) == here + distance);
      CHECK(aarch64::plt_target(entry, {here}) == here + distance);
    }
  aarch64::write_plt_entry(entry, {0x1000}, 0x12345678);
  CHECK(word_of(entry, 0) == 0x90091a30); // adrp x16, 0x12345000 - 0x1000
  CHECK(word_of(entry, 4) == 0x9119e210); // add  x16, x16, #0x678
  CHECK(word_of(entry, 8) == 0xd61f0200); // br   x16
}

TEST_CASE("aarch64: a scaled immediate replaces the whole field") {
  bench b;
  for (auto const& [type, shift] : {std::pair{284u, 1}, {285u, 2}, {286u, 3}, {299u, 4}}) {
    REQUIRE(b.one(type, 0xff0, 0, 0xffffffff) == errc::ok);
    CHECK(b.word(at) == (0xffc003ff | 0xff0u >> shift << 10));
    // What the scale drops is not looked at.
    REQUIRE(b.one(type, 0xff1, 0, 0) == errc::ok);
    CHECK(b.word(at) == 0xff0u >> shift << 10);
  }
  REQUIRE(b.one(277, 0x12345678, 0, 0xffffffff) == errc::ok);
  CHECK(b.word(at) == (0xffc003ff | 0x678u << 10));
}

TEST_CASE("aarch64: MOVZ or MOVN by the sign") {
  bench b;
  struct row {
    u32 type;
    u64 value;
    u32 insn; ///< 0: refused
  };
  constexpr u32 movz = 0xd2800000, movn = 0x92800000;
  for (row const& r : {row{270, 0x1234, movz | 0x1234 << 5},
                       {270, 0 - u64{1}, movn},
                       {270, 0 - u64{0x10000}, movn | 0xffff << 5},
                       {270, 0 - u64{0x10001}, 0},
                       {270, 0x10000, 0},
                       {271, 0x12345678, movz | 0x1234 << 5},
                       {271, 0 - u64{0x12345678}, movn | 0x1234 << 5},
                       {271, u64{1} << 32, 0},
                       {272, u64{0xffff} << 32, movz | 0xffff << 5},
                       {272, u64{1} << 48, 0}})
    for (u32 before : {movz, movn, movn | 0x1fffe0}) {
      CAPTURE(r.type);
      CAPTURE(r.value);
      errc const code = b.one(r.type, r.value - 8, 8, before);
      CHECK(code == (r.insn == 0 ? errc::reloc_overflow : errc::ok));
      if (r.insn != 0)
        CHECK(b.word(at) == r.insn);
      else
        CHECK(b.err.number[1] == r.value);
    }
  // PREL_G3 has all there is.
  REQUIRE(b.one(293, b.p() - (u64{0x1234} << 48), 0, movz) == errc::ok);
  CHECK(b.word(at) == (movn | 0x1233u << 5));
}

TEST_CASE("aarch64: what is refused") {
  bench b;
  for (u32 type : {1u, 255u, 281u, 294u, 300u, 316u, 1024u, 1027u, 0xffffffffu}) {
    CHECK(b.one(type, 0, 0) == errc::reloc_unknown);
    CHECK(b.err.number[0] == type);
    CHECK(b.err.os_errno() == e_noexec);
  }
  for (u32 type : {512u, 541u, 549u, 562u, 569u})
    CHECK(b.one(type, 0, 0) == errc::reloc_tls);
  // Overflow shows type and value.
  CHECK(b.one(258, u64{1} << 32, 0) == errc::reloc_overflow);
  CHECK(b.err.number[0] == 258);
  CHECK(b.err.number[1] == u64{1} << 32);
  CHECK(b.one(275, b.p() + (u64{1} << 32), 0) == errc::reloc_overflow);
  // A GOT or PLT that is not there.
  for (u32 type : {307u, 308u, 309u, 311u, 312u, 315u})
    CHECK(b.one(type, b.p(), 0) == errc::reloc_no_slot);
  for (u32 type : {282u, 283u})
    CHECK(b.one(type, b.p() + 0x8000000, 0) == errc::reloc_no_slot);
  for (reloc::rule const& r : aarch64::rules)
    if (r.field.bytes != 0) {
      b.values[1] = b.p();
      b.relocations = {b.make(65 - r.field.bytes, r.type, 1, 0)};
      CHECK(b.run() == errc::reloc_offset);
      b.relocations = {b.make(~u64{0}, r.type, 1, 0)};
      CHECK(b.run() == errc::reloc_offset);
      b.relocations = {b.make(0, r.type, 2, 0)};
      CHECK(b.run() == errc::reloc_symbol);
    }
}

TEST_CASE("aarch64: calls out of reach take an entry; only the one before is shared") {
  std::vector<std::byte> plt(4 * 12);
  bench b;
  b.values.resize(4);
  b.values[1] = 0xffff800090000000;
  b.values[2] = 0xffff800090001000;
  b.values[3] = b.place.value + 0x8000000 - 4; // just in reach of the first word
  for (u32 i = 0; i < 5; ++i)
    b.put(4 * i, 0x94000000);
  b.add(0, 283, 3);
  b.add(4, 283, 1);
  b.add(8, 283, 1);
  b.add(12, 283, 2);
  b.add(16, 283, 1);
  auto load = [&](u32 count) {
    b.bytes = b.original;
    b.state = {};
    b.state.core = {1, count, 0, plt.data(), {b.place.value + 0x1000}};
    return relocate<aarch64>(b.input(), {b.values, {}, false}, b.state, b.err);
  };
  auto entry = [&](u64 place, u64 n) {
    return static_cast<u32>(0x94000000 | (0x1000 + 12 * n - place) >> 2);
  };
  REQUIRE(load(3) == errc::ok);
  CHECK(b.word(0) == 0x95ffffff);
  CHECK(b.word(4) == entry(4, 0));
  CHECK(b.word(8) == entry(8, 0));
  CHECK(b.word(12) == entry(12, 1));
  CHECK(b.word(16) == entry(16, 2));
  CHECK(b.state.core.used == 3);
  u64 const at_plt = b.place.value + 0x1000;
  CHECK(leads_to(plt, 0, at_plt) == b.values[1]);
  CHECK(leads_to(plt, 12, at_plt + 12) == b.values[2]);
  CHECK(leads_to(plt, 24, at_plt + 24) == b.values[1]);
  // More than were counted.
  CHECK(load(2) == errc::reloc_no_slot);
  CHECK(b.err.index == 4);
  // A shared entry as the last leaves its copy in the place that is kept free.
  b.relocations.resize(3);
  REQUIRE(load(1) == errc::ok);
  CHECK(b.state.core.used == 1);
  CHECK(leads_to(plt, 12, at_plt + 12) == b.values[1]);
  // Code of init has a PLT of its own.
  std::vector<std::byte> init(24);
  b.bytes = b.original;
  b.state = {};
  b.state.core = {1, 1, 0, plt.data(), {at_plt}};
  b.state.init = {2, 1, 0, init.data(), {at_plt + 0x100}};
  b.state.init_text[0] = {b.place, b.bytes.data(), 64};
  REQUIRE(relocate<aarch64>(b.input(), {b.values, {}, false}, b.state, b.err) == errc::ok);
  CHECK(b.state.core.used == 0);
  CHECK(b.state.init.used == 1);
  CHECK(b.word(4) == static_cast<u32>(0x94000000 | (0x1100 - 4) >> 2));
}

TEST_CASE("aarch64: pages and slots of a GOT") {
  u32 slots[] = {0, 3}, none[] = {0, 0};
  bench b;
  b.state.got = {0xffff80001000fff8};
  b.state.got_slot = slots;
  b.state.plt_slot = none;
  u64 const slot = 0xffff800010010008;
  REQUIRE(b.one(311, 0, 0, 0x90000000) == errc::ok);
  CHECK(b.word(at) == (0x90000000 | 0x10 / 4 << 5));
  REQUIRE(b.one(312, 0, 0, 0xf9400000) == errc::ok);
  CHECK(b.word(at) == (0xf9400000 | (slot & 0xfff) >> 3 << 10));
  REQUIRE(b.one(315, 0, 4) == errc::ok);
  CHECK(b.word(at) == static_cast<u32>(slot + 4 - b.p()));
}

namespace {

using near_config = verify::verify_config<aarch64, false, 4096, false>;

struct plt_module : module_builder<aarch64_numbers> {
  plt_module() : module_builder{"demo"} {}
  plt_module& plts() {
    for (char const* name : {".plt", ".init.plt", ".text.ftrace_trampoline"})
      section(name, elf::sht_progbits, elf::shf_alloc | elf::shf_execinstr, bytes_of({0}));
    return *this;
  }
};

verify::outcome load(plt_module& m) {
  verify::record r;
  r.regions = {{"core", 0xffff800010000000, 0}, {"init", 0xffff800010100000, 0}};
  r.undefined = {{"f", 0xffff800090000000}, {"g", 0xffff800090000100}, {"h", 0xffff800010200000}};
  verify::outcome o;
  verify::load_linux_as<near_config>(r, {}, m.build().bytes, o);
  return o;
}

verify::loaded_section section(verify::outcome const& o, std::string_view name) {
  for (verify::loaded_section const& s : o.sections)
    if (s.name == name)
      return s;
  return {};
}

} // namespace

TEST_CASE("aarch64: the PLT has room for every branch to another section, and one more") {
  plt_module m;
  m.plts();
  u32 const text = m.text(byte_vector(64));
  u32 const f = m.undefined("f"), g = m.undefined("g"), h = m.undefined("h");
  u32 const own = m.symbol("own", text, 8);
  m.rela(text, 0, 283, g, 0);
  m.rela(text, 4, 283, own, 0); // not counted: the same section
  m.rela(text, 8, 283, f, 0);
  m.rela(text, 12, 282, f, 0);  // another type
  m.rela(text, 16, 283, f, 0);  // counted once
  m.rela(text, 20, 283, f, 16); // with an addend: always
  m.rela(text, 24, 283, h, 0);  // counted, though it is in reach
  verify::outcome const o = load(m);
  REQUIRE(o.refused == "");
  CHECK(o.complaints.empty());
  auto const plt = section(o, ".plt"), init = section(o, ".init.plt");
  auto const code = section(o, ".text");
  CHECK(plt.size == (5 + 1) * 12);
  CHECK(init.size == 12);
  CHECK(section(o, ".text.ftrace_trampoline").size == 2 * 12);
  // Sorted: JUMP26 first, then CALL26 by symbol and addend.
  u64 const target[] = {0xffff800090000000, 0xffff800090000000, 0xffff800090000010,
                        0xffff800090000100};
  auto call = [&](std::size_t place, u64 to) {
    return static_cast<u32>((to - code.address - place) >> 2) & 0x3ffffff;
  };
  auto const entry = [&](u64 n) { return plt.address + 12 * n; };
  CHECK((word_of(code.bytes, 12) & 0x3ffffff) == call(12, entry(0)));
  CHECK((word_of(code.bytes, 8) & 0x3ffffff) == call(8, entry(0))); // shared with the one before
  CHECK((word_of(code.bytes, 16) & 0x3ffffff) == call(16, entry(0)));
  CHECK((word_of(code.bytes, 20) & 0x3ffffff) == call(20, entry(1)));
  CHECK((word_of(code.bytes, 0) & 0x3ffffff) == call(0, entry(2)));
  CHECK((word_of(code.bytes, 4) & 0x3ffffff) == call(4, code.address + 8));
  CHECK((word_of(code.bytes, 24) & 0x3ffffff) == call(24, 0xffff800010200000));
  CHECK(leads_to(plt.bytes, 0, entry(0)) == target[0]);
  CHECK(leads_to(plt.bytes, 12, entry(1)) == target[2]);
  CHECK(leads_to(plt.bytes, 24, entry(2)) == target[3]);
}

TEST_CASE("aarch64: where all branches are foreign, the last one is not sorted") {
  plt_module m;
  m.plts();
  u32 const text = m.text(byte_vector(64));
  u32 const f = m.undefined("f"), g = m.undefined("g");
  m.rela(text, 0, 283, g, 0);
  m.rela(text, 4, 283, f, 0);
  m.rela(text, 8, 283, g, 0);
  m.rela(text, 12, 283, f, 0); // Linux's partition stops before it looks at this one
  verify::outcome const o = load(m);
  REQUIRE(o.refused == "");
  auto const plt = section(o, ".plt"), code = section(o, ".text");
  // f g g | f: three changes.
  CHECK(plt.size == (3 + 1) * 12);
  CHECK(leads_to(plt.bytes, 0, plt.address) == 0xffff800090000000);
  CHECK(leads_to(plt.bytes, 12, plt.address + 12) == 0xffff800090000100);
  CHECK(leads_to(plt.bytes, 24, plt.address + 24) == 0xffff800090000000);
  CHECK((word_of(code.bytes, 12) & 0x3ffffff) ==
        ((plt.address + 24 - code.address - 12) >> 2 & 0x3ffffff));
}

TEST_CASE("aarch64: a module without PLT sections is refused, a broken one does no harm") {
  plt_module without;
  without.text(byte_vector(16));
  CHECK(load(without).refused.starts_with("ENOEXEC"));
  plt_module hostile;
  hostile.plts();
  u32 const text = hostile.text(byte_vector(16));
  hostile.rela(text, 0, 283, 0xffffff, 0);
  hostile.rela(text, 0xfffffff0, 282, 1, 0);
  verify::outcome const o = load(hostile);
  CHECK(o.refused.starts_with("ENOEXEC"));
  CHECK(o.complaints.empty());
}
