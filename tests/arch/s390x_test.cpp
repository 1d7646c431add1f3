// SPDX-License-Identifier: MIT
// s390x: each rule at, inside and one past its limits, GOT and PLT to the byte, and whole loads.
// Fields are read back here as the Principles of Operation draw them, by nothing of kmodld's.
#include "reloc/bench.hpp"
#include "support/module_builder.hpp"
#include "verify/load_linux.hpp"

#include <kmodld/arch/s390x.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>

using namespace kmodld;
using namespace kmodld::test;
using arch::s390x;

namespace {

constexpr u64 at = 24; ///< of the place, in the middle of the section
constexpr u64 got = 0x3ff80000000, plt = got + 64;

struct bench : reloc_bench<s390x> {
  std::vector<u32> got_slots = {0, 4}, plt_slots = {0, 3};

  explicit bench(bool slots = true) {
    place = {0x3ff80100000};
    values.push_back(0);
    state.got = {got};
    state.plt = {plt};
    if (slots) {
      state.got_slot = got_slots;
      state.plt_slot = plt_slots;
    }
  }
  u64 p() const { return place.value + at; }
  errc one(u32 type, u64 s, u64 addend) {
    relocations.clear();
    values[1] = s;
    add(at, type, 1, static_cast<i64>(addend));
    return run();
  }
};

/// What a type's value is made of, beside the addend.
enum class kind { s, s_p, slot, slot_p, s_got, got_p, plt_p, plt_got };

struct rule_row {
  u32 type;
  kind of;
  unsigned bits, shift;
  bool is_signed;
};
constexpr rule_row rows[] = {
    {1, kind::s, 8, 0, false},         {2, kind::s, 12, 0, false},
    {3, kind::s, 16, 0, false},        {4, kind::s, 32, 0, false},
    {22, kind::s, 64, 0, false},       {57, kind::s, 20, 0, true},
    {16, kind::s_p, 16, 0, true},      {17, kind::s_p, 16, 1, true},
    {5, kind::s_p, 32, 0, true},       {19, kind::s_p, 32, 1, true},
    {23, kind::s_p, 64, 0, true},      {62, kind::s_p, 12, 1, true},
    {64, kind::s_p, 24, 1, true},      {6, kind::slot, 12, 0, false},
    {15, kind::slot, 16, 0, false},    {58, kind::slot, 20, 0, true},
    {7, kind::slot, 32, 0, false},     {24, kind::slot, 64, 0, false},
    {29, kind::slot, 12, 0, false},    {30, kind::slot, 16, 0, false},
    {59, kind::slot, 20, 0, true},     {31, kind::slot, 32, 0, false},
    {32, kind::slot, 64, 0, false},    {26, kind::slot_p, 32, 1, true},
    {33, kind::slot_p, 32, 1, true},   {27, kind::s_got, 16, 0, false},
    {13, kind::s_got, 32, 0, false},   {28, kind::s_got, 64, 0, false},
    {14, kind::got_p, 32, 0, true},    {21, kind::got_p, 32, 1, true},
    {8, kind::plt_p, 32, 0, false},    {25, kind::plt_p, 64, 0, false},
    {34, kind::plt_got, 16, 0, false}, {35, kind::plt_got, 32, 0, false},
    {36, kind::plt_got, 64, 0, false},
};

/// Symbol value and addend that make the value `v`.
std::pair<u64, u64> operands(kind of, u64 v, u64 p) {
  u64 const entry = plt + 2 * 22;
  switch (of) {
  case kind::s: return {v + 8, u64{0} - 8};
  case kind::s_p: return {v + p - 2, 2};
  case kind::slot: return {1, v - 24};
  case kind::slot_p: return {1, v - 24 - got + p};
  case kind::s_got: return {v + got - 4, 4};
  case kind::got_p: return {1, v - got + p};
  case kind::plt_p: return {1, v - entry + p};
  default: return {1, v - entry + got};
  }
}

u64 big(std::vector<std::byte> const& b, std::size_t n) {
  u64 v = 0;
  for (std::size_t i = 0; i < n; ++i)
    v = v << 8 | std::to_integer<u64>(b.at(at + i));
  return v;
}
u64 low_bits(unsigned n) { return n == 64 ? ~u64{0} : (u64{1} << n) - 1; }

/// The field, and what stands beside it.
std::pair<u64, u64> field_of(std::vector<std::byte> const& b, unsigned bits) {
  switch (bits) {
  case 12: return {big(b, 2) & 0xfff, big(b, 2) >> 12};
  case 20: {
    u64 const w = big(b, 4);
    return {(w >> 8 & 0xff) << 12 | (w >> 16 & 0xfff), (w & 0xff) | w >> 28 << 8};
  }
  default: return {big(b, bits / 8), 0};
  }
}

} // namespace

TEST_CASE("s390x: names and headers") {
  elf::elf64_be::ehdr h{};
  h.e_machine = 22;
  CHECK(s390x::accepts(h));
  h.e_machine = 21;
  CHECK_FALSE(s390x::accepts(h));
  CHECK(arch_policy<s390x>);
  // Every type but none, TLS, the PLT calls and 24-bit calls is among the rows of this test.
  for (reloc::rule const& r : s390x::rules) {
    bool const listed =
        std::any_of(std::begin(rows), std::end(rows), [&](auto& x) { return x.type == r.type; });
    bool const apart = r.type == 0 || r.type == 18 || r.type == 20 || r.type == 63 || r.type == 65;
    INFO(r.name);
    CHECK(listed == (r.formula != reloc::formula::tls && !apart));
  }
}

TEST_CASE("s390x: every field holds what fits and refuses the rest") {
  for (rule_row const& r : rows) {
    CAPTURE(r.type);
    unsigned const width = r.bits + r.shift;
    u64 const step = u64{1} << r.shift;
    u64 const least = r.is_signed && width < 64 ? u64{0} - (u64{1} << (width - 1)) : 0;
    u64 const most = least + low_bits(width > 64 ? 64 : width) - (step - 1);
    for (u64 v : {least, least + step, least + 2 * step, u64{0} + step * 3, most - step, most}) {
      CAPTURE(v);
      for (u8 old : {u8{0}, u8{0xff}}) {
        bench b;
        std::fill(b.original.begin(), b.original.end(), std::byte{old});
        auto const [s, a] = operands(r.of, v, b.p());
        REQUIRE(b.one(r.type, s, a) == errc::ok);
        auto const [value, rest] = field_of(b.bytes, r.bits);
        auto const [value_before, rest_before] = field_of(b.original, r.bits);
        CHECK(value == (v >> r.shift & low_bits(r.bits)));
        CHECK(rest == rest_before);
        std::size_t const end = at + (r.bits == 20 ? 4 : (r.bits + 7) / 8);
        CHECK(std::equal(b.bytes.begin(), b.bytes.begin() + at, b.original.begin()));
        CHECK(std::equal(b.bytes.begin() + static_cast<int>(end), b.bytes.end(),
                         b.original.begin() + static_cast<int>(end)));
      }
    }
    if (r.bits == 64)
      continue;
    for (u64 v : {least - step, most + step}) {
      bench b;
      auto const [s, a] = operands(r.of, v, b.p());
      CAPTURE(v);
      CHECK(b.one(r.type, s, a) == errc::reloc_s390_value);
      CHECK(b.err.number[0] == r.type);
      CHECK(b.err.number[1] == v);
      CHECK(b.err.os_errno() == e_noexec);
    }
    if (r.shift != 0) {
      bench b;
      auto const [s, a] = operands(r.of, 5, b.p());
      errc const code = b.one(r.type, s, a);
      CHECK((code == errc::reloc_misaligned || code == errc::reloc_s390_value));
    }
  }
}

TEST_CASE("s390x: calls go straight where they reach, else by the PLT") {
  struct row {
    u32 type;
    unsigned bits;
  };
  for (row const& r : {row{63, 12}, row{18, 16}, row{65, 24}, row{20, 32}}) {
    CAPTURE(r.type);
    u64 const half = u64{1} << r.bits;
    for (u64 v : {u64{0} - half, u64{0} - half + 2, u64{2}, half - 4, half - 2}) {
      bench b;
      b.state.plt = {b.place.value - 0x40000000};
      REQUIRE(b.one(r.type, v + b.p() - 2, 2) == errc::ok);
      CHECK(field_of(b.bytes, r.bits).first == (v >> 1 & low_bits(r.bits)));
    }
    for (u64 v : {u64{0} - half - 2, half}) {
      bench none{false};
      CHECK(none.one(r.type, v + none.p() - 2, 2) == errc::reloc_s390_value);
      bench b;
      b.state.plt = {b.place.value - 0x100};
      REQUIRE(b.one(r.type, v + b.p() - 2, 2) == errc::ok);
      u64 const entry = b.state.plt.value + 44 + 2 - b.p();
      CHECK(field_of(b.bytes, r.bits).first == (entry >> 1 & low_bits(r.bits)));
    }
    bench b;
    errc const odd = b.one(r.type, b.p() + 1, 2);
    CHECK((odd == errc::reloc_misaligned || odd == errc::reloc_s390_value));
  }
}

TEST_CASE("s390x: what is refused") {
  bench b;
  for (u32 type : {9u, 10u, 11u, 12u, 61u, 66u, 255u, 0xffffffffu}) {
    CHECK(b.one(type, 0, 0) == errc::reloc_s390_unknown);
    CHECK(b.err.number[0] == type);
    CHECK(b.err.os_errno() == e_noexec);
  }
  for (u32 type = 37; type <= 56; ++type)
    CHECK(b.one(type, 0, 0) == errc::reloc_tls);
  CHECK(b.one(60, 0, 0) == errc::reloc_tls);
  CHECK(b.one(0, 1, 1) == errc::ok);
  CHECK(b.bytes == b.original);
  for (u32 type : {62u, 63u, 64u, 65u}) {
    b.relocations = {b.make(at, type, 1, 0)};
    b.values[1] = b.p();
    CHECK(b.run<false>() == errc::reloc_s390_unknown);
    CHECK(b.run() == errc::ok);
  }
  // No GOT slot, no GOT at all.
  bench none{false};
  for (u32 type : {6u, 7u, 15u, 24u, 26u, 29u, 30u, 31u, 32u, 33u, 58u, 59u})
    CHECK(none.one(type, 0, 0) == errc::reloc_no_slot);
  none.state.got = {};
  for (u32 type : {13u, 14u, 21u, 27u, 28u, 34u, 35u, 36u})
    CHECK(none.one(type, 0, 0) == errc::reloc_no_slot);
  // The last place, and those beyond the end; symbols that do not exist.
  for (reloc::rule const& r : s390x::rules)
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

TEST_CASE("s390x: PLT entries, byte by byte") {
  std::byte entry[22];
  auto is = [&](std::initializer_list<int> bytes) {
    std::size_t i = 0;
    for (int x : bytes)
      if (entry[i++] != static_cast<std::byte>(x))
        return false;
    return true;
  };
  s390x::write_plt_entry(entry, {}, 0x123456789abcdef0);
  CHECK(is({0x0d, 0x10, 0xe3, 0x10, 0x10, 0x0c, 0x00, 0x04, 0x07, 0xf1, 0,
            0,    0,    0,    0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0}));
  s390x::write_expoline_entry(entry, 22, 0x123456789abcdef0);
  CHECK(is({0x0d, 0x10, 0xe3, 0x10, 0x10, 0x0c, 0x00, 0x04, 0xc0, 0xf4, 0,
            0,    0,    7,    0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0}));
  s390x::write_expoline_thunk(entry);
  CHECK(is({0xc6, 0, 0, 0, 0, 5, 0xa7, 0xf4, 0, 0, 7, 0xf1}));
}

namespace {

using near_config = verify::verify_config<s390x, false, 4096, false>;
struct expoline_config : near_config {
  struct abi : near_config::abi {
    static constexpr bool expoline = true;
  };
};

/// Data first used in .text, code in both sections, and the GOT itself.
template <class Config>
verify::outcome load_user(u64 outside) {
  module_builder<s390x_numbers> m{"user"};
  u32 const text = m.text(byte_vector(32));
  u32 const more = m.text(byte_vector(16), ".text.more");
  u32 const data = m.undefined("data"), f = m.undefined("f"), g = m.undefined("g");
  u32 const table = m.undefined("_GLOBAL_OFFSET_TABLE_");
  m.rela(text, 2, 20, g, 2);
  m.rela(text, 8, 26, data, 2);
  m.rela(text, 14, 20, f, 2);
  m.rela(text, 20, 20, g, 2);
  m.rela(text, 26, 21, table, 2);
  m.rela(more, 2, 20, f, 2);
  m.rela(more, 8, 26, f, 2);
  verify::record r;
  r.regions = {{"core", 0x3ff80000000, 0}, {"init", 0x3ff80100000, 0}};
  r.undefined = {{"data", 0x11223344}, {"f", outside}, {"g", 0x3ff80200000}};
  r.undefined["_GLOBAL_OFFSET_TABLE_"] = 0x3ff80000000;
  verify::outcome o;
  verify::load_linux_as<Config>(r, {}, m.build().bytes, o);
  return o;
}

verify::loaded_section section(verify::outcome const& o, std::string_view name) {
  for (verify::loaded_section const& s : o.sections)
    if (s.name == name)
      return s;
  return {};
}
u32 word_of(verify::loaded_section const& s, u64 offset) {
  return elf::elf64_be::word32::load(&s.bytes.at(offset));
}
u64 word_at(byte_vector const& b, u64 offset) { return elf::elf64_be::word::load(&b.at(offset)); }

} // namespace

TEST_CASE("s390x: GOT and PLT stand before the first section, in the order of first use") {
  for (bool far : {false, true}) {
    u64 const outside = far ? 0x100000 : 0x3ff80300000;
    verify::outcome o = load_user<near_config>(outside);
    REQUIRE(o.refused == "");
    CHECK(o.complaints.empty());
    CHECK(o.asked.contains("data"));
    REQUIRE(o.got.size() == 16);
    REQUIRE(o.plt.size() == 44);
    CHECK(o.got_address == 0x3ff80000000);
    CHECK(o.plt_address == 0x3ff80000010);
    CHECK(word_at(o.got, 0) == 0x11223344);
    CHECK(word_at(o.got, 8) == outside);
    CHECK(word_at(o.plt, 14) == 0x3ff80200000);
    CHECK(word_at(o.plt, 22 + 14) == outside);
    auto const text = section(o, ".text"), more = section(o, ".text.more");
    CHECK(text.address == 0x3ff80000040); // 16 + 44, aligned to 16
    auto const to = [](u64 target, u64 place) {
      return static_cast<u32>((target + 2 - place) >> 1);
    };
    u64 const f = far ? 0x3ff80000026 : outside;
    CHECK(word_of(text, 2) == to(0x3ff80200000, text.address + 2));
    CHECK(word_of(text, 8) == to(0x3ff80000000, text.address + 8));
    CHECK(word_of(text, 14) == to(f, text.address + 14));
    CHECK(word_of(text, 20) == to(0x3ff80200000, text.address + 20));
    CHECK(word_of(text, 26) == to(0x3ff80000000, text.address + 26));
    CHECK(word_of(more, 2) == to(f, more.address + 2));
    CHECK(word_of(more, 8) == to(0x3ff80000008, more.address + 8));
  }
}

TEST_CASE("s390x: with expolines the PLT ends with a thunk") {
  verify::outcome o = load_user<expoline_config>(0x100000);
  REQUIRE(o.refused == "");
  REQUIRE(o.plt.size() == 66);
  CHECK(o.plt[8] == std::byte{0xc0});
  CHECK(o.plt[13] == std::byte{(44 - 8) / 2});
  CHECK(o.plt[22 + 13] == std::byte{(22 - 8) / 2});
  CHECK(o.plt[44] == std::byte{0xc6});
  CHECK(o.plt[55] == std::byte{0xf1});
}

TEST_CASE("s390x: a module without calls has neither") {
  module_builder<s390x_numbers> m{"quiet"};
  m.text(byte_vector(16));
  verify::record r;
  r.regions = {{"core", 0x3ff80000000, 0}, {"init", 0x3ff80100000, 0}};
  verify::outcome o;
  verify::load_linux_as<expoline_config>(r, {}, m.build().bytes, o);
  CHECK(o.refused == "");
  CHECK(o.got.empty());
  CHECK(o.plt.empty());
  CHECK(section(o, ".text").address == 0x3ff80000000);
}

TEST_CASE("s390x: slots of symbols that do not exist are not made") {
  module_builder<s390x_numbers> m{"hostile"};
  u32 const text = m.text(byte_vector(16));
  m.rela(text, 2, 20, 0xffffff, 2);
  m.rela(text, 2, 26, 0x7fffffff, 2);
  verify::record r;
  verify::outcome o;
  verify::load_linux_as<near_config>(r, {}, m.build().bytes, o);
  CHECK(o.refused.starts_with("ENOEXEC"));
  CHECK(o.complaints.empty());
}

TEST_CASE("s390x: a place of three bytes at a section's end is read no further") {
  for (u32 type : {64u, 65u}) {
    bench b;
    b.original = byte_vector(27);
    b.values[1] = b.p() + 4;
    b.add(at, type, 1, 0);
    // Memory of just this size, so that a sanitizer sees more.
    std::unique_ptr<std::byte[]> const exactly{new std::byte[27]()};
    error e;
    CHECK(relocate<s390x>({{exactly.get(), 27}, b.place, b.original, b.relocations}, {b.values},
                          b.state, e) == errc::ok);
    CHECK(exactly[26] == std::byte{2});
  }
}
