// SPDX-License-Identifier: MIT
// powerpc64, both byte orders: each rule at, inside and one past its limits, r2 and the entries,
// stubs to the byte, and whole loads. Instructions are read back as the Power ISA draws them.
#include "reloc/bench.hpp"
#include "support/module_builder.hpp"
#include "verify/load_linux.hpp"

#include <kmodld/arch/powerpc64.hpp>

#include <doctest/doctest.h>

#include <algorithm>

using namespace kmodld;
using namespace kmodld::test;
using arch::powerpc64;
using arch::powerpc64le;

#define ORDERS powerpc64le, powerpc64

namespace {

constexpr u64 at = 24; ///< of the place, in the middle of the section
constexpr u64 toc = 0xc008000000108000, got = toc - 0x7ff0;
constexpr u32 nop = 0x60000000, restore = 0xe8410018;

template <class A>
struct bench : reloc_bench<A> {
  std::vector<u32> got_slots = {0, 3}, plt_slots = {0, 0};

  bench() {
    this->place = {0xc008000000000000};
    this->values.push_back(0);
    this->attributes = {0, 0};
    this->state.toc = {toc};
    this->state.got = {got};
    this->state.got_slot = got_slots;
    this->state.plt_slot = plt_slots;
  }
  u64 p() const { return this->place.value + at; }
  errc one(u32 type, u64 s, u64 addend = 0) {
    this->relocations.clear();
    this->values[1] = s;
    this->add(at, type, 1, static_cast<i64>(addend));
    return this->run();
  }
  u32 halfword() const { return elf::field<u16, A::format::order>::load(&this->bytes.at(at)); }
};

/// What a type's value is made of, beside the addend.
enum class kind { s, s_p, toc, slot, slot_p };
/// Which bits of it are stored, and in what.
enum class part {
  low,
  ds,
  hi,
  ha,
  higher,
  highera,
  highest,
  highesta,
  li,
  bd,
  dx,
  d34,
  d34_hi,
  d34_ha,
  word,
  doubleword
};

struct rule_row {
  u32 type;
  kind of;
  part to;
  unsigned width; ///< of the signed value that fits; 0: all, 1: 16 bits of either sign, 2: 32 ...
};
constexpr rule_row rows[] = {
    {1, kind::s, part::word, 0},          {2, kind::s, part::li, 26},
    {3, kind::s, part::low, 1},           {4, kind::s, part::low, 0},
    {5, kind::s, part::hi, 32},           {6, kind::s, part::ha, 32},
    {7, kind::s, part::bd, 16},           {8, kind::s, part::bd, 16},
    {9, kind::s, part::bd, 16},           {10, kind::s_p, part::li, 26},
    {11, kind::s_p, part::bd, 16},        {12, kind::s_p, part::bd, 16},
    {13, kind::s_p, part::bd, 16},        {14, kind::slot, part::low, 16},
    {15, kind::slot, part::low, 0},       {16, kind::slot, part::hi, 32},
    {17, kind::slot, part::ha, 32},       {24, kind::s, part::word, 2},
    {25, kind::s, part::low, 1},          {26, kind::s_p, part::word, 32},
    {38, kind::s, part::doubleword, 0},   {39, kind::s, part::higher, 0},
    {40, kind::s, part::highera, 0},      {41, kind::s, part::highest, 0},
    {42, kind::s, part::highesta, 0},     {43, kind::s, part::doubleword, 0},
    {44, kind::s_p, part::doubleword, 0}, {47, kind::toc, part::low, 16},
    {48, kind::toc, part::low, 0},        {49, kind::toc, part::hi, 32},
    {50, kind::toc, part::ha, 0},         {56, kind::s, part::ds, 16},
    {57, kind::s, part::ds, 0},           {58, kind::slot, part::ds, 16},
    {59, kind::slot, part::ds, 0},        {63, kind::toc, part::ds, 16},
    {64, kind::toc, part::ds, 0},         {110, kind::s, part::hi, 0},
    {111, kind::s, part::ha, 0},          {116, kind::s_p, part::li, 26},
    {128, kind::s, part::d34, 34},        {129, kind::s, part::d34, 0},
    {130, kind::s, part::d34_hi, 0},      {131, kind::s, part::d34_ha, 0},
    {132, kind::s_p, part::d34, 34},      {133, kind::slot_p, part::d34, 34},
    {240, kind::s_p, part::hi, 0},        {241, kind::s_p, part::ha, 0},
    {242, kind::s_p, part::higher, 0},    {243, kind::s_p, part::highera, 0},
    {244, kind::s_p, part::highest, 0},   {245, kind::s_p, part::highesta, 0},
    {246, kind::s_p, part::dx, 32},       {249, kind::s_p, part::low, 16},
    {250, kind::s_p, part::low, 0},       {251, kind::s_p, part::hi, 32},
    {252, kind::s_p, part::ha, 0},
};

std::pair<u64, u64> operands(kind of, u64 v, u64 p) {
  switch (of) {
  case kind::s: return {v + 8, u64{0} - 8};
  case kind::s_p: return {v + p - 12, 12};
  case kind::toc: return {v + toc + 4, u64{0} - 4};
  default: return {1, 0};
  }
}
/// Where the GOT must lie for the symbol's slot, its third, to have the distance v.
u64 got_for(kind of, u64 v, u64 p) { return of == kind::slot ? v - 16 + toc : v - 16 + p; }

/// What the place must hold if it held ones before.
template <class A>
bool holds(bench<A> const& b, part to, u64 v) {
  u64 const h = b.halfword(), w = b.word(at), next = b.word(at + 4);
  u64 const a = v + 0x8000;
  auto split = [&](u64 high) {
    return w == (0xfffc0000 | (high >> 16 & 0x3ffff)) && next == (0xffff0000 | (high & 0xffff));
  };
  switch (to) {
  case part::low: return h == (v & 0xffff);
  case part::ds: return h == ((v & 0xfffc) | 3);
  case part::hi: return h == (v >> 16 & 0xffff);
  case part::ha: return h == (a >> 16 & 0xffff);
  case part::higher: return h == (v >> 32 & 0xffff);
  case part::highera: return h == (a >> 32 & 0xffff);
  case part::highest: return h == v >> 48;
  case part::highesta: return h == a >> 48;
  case part::li: return w == (0xfc000003 | (v & 0x03fffffc));
  case part::bd: return w == (0xffff0003 | (v & 0xfffc));
  case part::dx: {
    u64 const d = a >> 16 & 0xffff;
    return w == (0xffe0003e | (d >> 6) << 6 | (d >> 1 & 31) << 16 | (d & 1));
  }
  case part::d34: return split(v);
  case part::d34_hi: return split(v >> 34);
  case part::d34_ha: return split((v + (u64{1} << 33)) >> 34);
  case part::word: return w == (v & 0xffffffff);
  default: return b.word64(at) == v;
  }
}

u64 align_of(part to) { return to == part::ds || to == part::li || to == part::bd ? 4 : 1; }

} // namespace

TEST_CASE_TEMPLATE("powerpc64: names and headers", A, ORDERS) {
  typename A::format::ehdr h{};
  h.e_machine = 21;
  for (u32 flags : {0u, 1u, 2u, 3u}) {
    h.e_flags = flags;
    CHECK(A::accepts(h) == (flags == 0 || flags == 2));
  }
  h.e_machine = 20;
  h.e_flags = 2;
  CHECK_FALSE(A::accepts(h));
  CHECK(arch_policy<A>);
  CHECK(A::name == (A::format::order == elf::byte_order::little ? "powerpc64le" : "powerpc64"));
  for (reloc::rule const& r : A::rules) {
    bool const listed =
        std::any_of(std::begin(rows), std::end(rows), [&](auto& x) { return x.type == r.type; });
    bool const apart =
        r.type == 0 || r.type == 51 || r.type == 109 || r.type == 118 || r.type == 123;
    INFO(r.name);
    CHECK(listed == (r.formula != reloc::formula::tls && !apart));
  }
}

TEST_CASE_TEMPLATE("powerpc64: every field holds what fits and refuses the rest", A, ORDERS) {
  for (rule_row const& r : rows) {
    CAPTURE(r.type);
    u64 const step = align_of(r.to);
    unsigned const bits = r.width == 1 ? 16 : r.width == 2 ? 32 : r.width;
    u64 least = 0, most = ~u64{0} - (step - 1);
    if (r.width > 2) {
      least = u64{0} - (u64{1} << (bits - 1));
      most = (u64{1} << (bits - 1)) - step;
    } else if (r.width != 0) {
      least = u64{0} - (u64{1} << (bits - 1));
      most = (u64{1} << bits) - 1;
    }
    // The rounding of @ha moves the window.
    if (bits == 32 && (r.to == part::ha || r.to == part::dx))
      least -= 0x8000, most -= 0x8000;
    bench<A> b;
    std::fill(b.original.begin(), b.original.end(), std::byte{0xff});
    for (u64 v : {least, least + step, u64{0}, step * 0x1fff, u64{0} - step, most - step, most}) {
      CAPTURE(v);
      auto const [s, a] = operands(r.of, v, b.p());
      b.state.got = {got_for(r.of, v, b.p())};
      REQUIRE(b.one(r.type, s, a) == errc::ok);
      CHECK(holds(b, r.to, v));
      bool rest = true;
      std::size_t const end =
          at + A::rules[0].field.bytes + reloc::find_rule<A>(r.type)->field.bytes;
      for (std::size_t i = 0; i < b.bytes.size(); ++i)
        rest = rest && (b.bytes[i] == std::byte{0xff} || (i >= at && i < end));
      CHECK(rest);
    }
    if (bits != 0)
      for (u64 v : {least - step, most + step}) {
        CAPTURE(v);
        auto const [s, a] = operands(r.of, v, b.p());
        b.state.got = {got_for(r.of, v, b.p())};
        errc const expected = r.type == 26                                   ? errc::reloc_ppc_rel32
                              : r.type == 10 || r.type == 116                ? errc::reloc_ppc_rel24
                              : r.type == 47 || r.type == 63 || r.type == 64 ? errc::reloc_ppc_toc16
                                                                             : errc::reloc_overflow;
        CHECK(b.one(r.type, s, a) == expected);
        CHECK(b.err.os_errno() == e_noexec);
        CHECK(b.err.number[0] == r.type);
      }
    if (step != 1)
      for (u64 v : {u64{1}, u64{2}, u64{7}}) {
        auto const [s, a] = operands(r.of, v, b.p());
        b.state.got = {got_for(r.of, v, b.p())};
        CHECK(b.one(r.type, s, a) != errc::ok);
      }
  }
}

TEST_CASE_TEMPLATE("powerpc64: a GOT slot holds S + A, one for each sum", A, ORDERS) {
  bench<A> b;
  std::byte memory[16] = {};
  u32 index[4] = {};
  b.state.addend_slots = {2, 0, memory, {toc + 0x100}, index};
  b.values[1] = 0x1234;
  b.relocations = {b.make(0, 14, 1, -1), b.make(4, 14, 1, 8), b.make(8, 14, 1, -1)}; // GOT16
  REQUIRE(b.run() == errc::ok);
  auto const half = [&](std::size_t i) {
    return elf::field<u16, A::format::order>::load(&b.bytes[i]);
  };
  CHECK(half(0) == 0x100);
  CHECK(half(4) == 0x108);
  CHECK(half(8) == 0x100);
  CHECK(A::format::word::load(memory) == 0x1233);
  CHECK(A::format::word::load(memory + 8) == 0x123c);
  b.state.addend_slots.used = 2;
  b.relocations = {b.make(0, 14, 1, 16)};
  CHECK(b.run() == errc::reloc_no_slot);
}

TEST_CASE_TEMPLATE("powerpc64: r2 by itself, and what changes nothing", A, ORDERS) {
  bench<A> b;
  REQUIRE(b.one(51, 1, 2) == errc::ok);
  CHECK(b.word64(at) == toc);
  for (u32 type : {0u, 109u}) {
    REQUIRE(b.one(type, 1, 2) == errc::ok);
    CHECK(b.bytes == b.original);
  }
}

TEST_CASE_TEMPLATE("powerpc64: the global entry is shortened where r2 is in reach", A, ORDERS) {
  bench<A> b;
  auto shortened = [&](u32 first, u32 second, u64 distance) {
    b.put(at, first);
    b.put(at + 4, second);
    b.state.toc = {b.p() + distance};
    REQUIRE(b.one(118, 0) == errc::ok);
    bool const kept = b.bytes == b.original;
    if (!kept) {
      CHECK(b.word(at) == (0x3c4c0000 | ((distance + 0x8000) >> 16 & 0xffff)));
      CHECK(b.word(at + 4) == (0x38420000 | (distance & 0xffff)));
    }
    return !kept;
  };
  for (u32 d : {0u, 4u, 0x7ffcu, 0xfffcu}) {
    CHECK(shortened(0xe84c0000 | d, 0x7c426214, 0x12348000));
    CHECK(shortened(0xe84c0000 | d, 0x7c426214, u64{0} - 0x80008000));
    CHECK(shortened(0xe84c0000 | d, 0x7c426214, 0x7fff7fff));
    CHECK_FALSE(shortened(0xe84c0000 | d, 0x7c426214, 0x7fff8000));
    CHECK_FALSE(shortened(0xe84c0000 | d, 0x7c426214, u64{0} - 0x80008001));
  }
  CHECK_FALSE(shortened(0xe84c0001, 0x7c426214, 0));
  CHECK_FALSE(shortened(0xe86c0000, 0x7c426214, 0));
  CHECK_FALSE(shortened(0xe84c0000, 0x7c426215, 0));
  // At the very end of a section there is no second instruction, and beyond it none.
  b.original.assign(at + 4, std::byte{0});
  b.put(at, 0xe84c0000);
  CHECK(b.one(118, 0) == errc::ok);
  CHECK(b.bytes == b.original);
  b.original.assign(at, std::byte{0});
  CHECK(b.one(118, 0) == errc::ok);
  b.original.assign(at - 1, std::byte{0});
  CHECK(b.one(118, 0) == errc::reloc_offset);
}

TEST_CASE_TEMPLATE("powerpc64: calls in the module take the local entry", A, ORDERS) {
  constexpr u64 distance[] = {0, 0, 4, 8, 16, 32, 64, 128};
  for (unsigned other = 0; other < 8; ++other) {
    bench<A> b;
    b.attributes[1] = static_cast<u8>(other << symbol_other_shift);
    b.put(at, 0x48000001);
    REQUIRE(b.one(10, b.p() + 0x1000) == errc::ok);
    CHECK(b.word(at) == (0x48000001 | (0x1000 + distance[other])));
    // Without stubs, as when no loader is there, undefined symbols are called where they are.
    b.attributes[1] = static_cast<u8>(b.attributes[1] | symbol_undefined);
    b.put(at + 4, nop);
    REQUIRE(b.one(10, b.p() + 0x1000) == errc::ok);
    CHECK(b.word(at) == 0x48001001);
    CHECK(b.word(at + 4) == nop);
  }
}

TEST_CASE_TEMPLATE("powerpc64: what is refused", A, ORDERS) {
  bench<A> b;
  for (u32 type :
       {18u, 19u, 20u, 21u, 22u, 23u, 27u, 45u, 117u, 119u, 247u, 248u, 253u, 256u, 0xffffffffu}) {
    CHECK(b.one(type, 0) == errc::reloc_ppc_unknown);
    CHECK(b.err.number[0] == type);
    CHECK(b.err.os_errno() == e_noexec);
  }
  for (u32 type = 67; type <= 108; ++type)
    CHECK(b.one(type, 0) == errc::reloc_tls);
  for (u32 type : {112u, 113u, 114u, 115u, 146u, 151u})
    CHECK(b.one(type, 0) == errc::reloc_tls);
  // Linux knows these, and these only.
  constexpr u32 linux_types[] = {0, 1, 10, 26, 38, 44, 47, 48, 50, 51, 63, 64, 109, 118, 250, 252};
  for (reloc::rule const& r : A::rules) {
    bool const known =
        std::find(std::begin(linux_types), std::end(linux_types), r.type) != std::end(linux_types);
    b.values[1] = r.type >= 47 && r.type <= 64 ? toc : b.p();
    b.relocations = {b.make(at, r.type, 1, 0)};
    INFO(r.name);
    CHECK((b.template run<false>() == errc::ok) == known);
  }
  b.state.got_slot = {};
  for (u32 type : {14u, 15u, 16u, 17u, 58u, 59u, 133u})
    CHECK(b.one(type, 0) == errc::reloc_no_slot);
  for (reloc::rule const& r : A::rules)
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

TEST_CASE_TEMPLATE("powerpc64: undefined names lose the dot of ELFv1", A, ORDERS) {
  CHECK(A::symbol_name(".printk") == "printk");
  CHECK(A::symbol_name("printk") == "printk");
  CHECK(A::symbol_name(".TOC.") == ".TOC.");
  CHECK(A::symbol_name("..TOC.") == ".TOC.");
  CHECK(A::symbol_name(".") == ".");
  CHECK(A::symbol_name("") == "");
}

TEST_CASE_TEMPLATE("powerpc64: stubs, byte by byte", A, ORDERS) {
  std::byte code[40];
  auto is = [&](std::initializer_list<u32> words) {
    u32 i = 0;
    bool same = true;
    for (u32 w : words)
      same = same && A::format::word32::load(code + 4 * i++) == w;
    return same && A::format::word::load(code + 32) == 0x123456789abcdef0;
  };
  A::write_stub(code, A::form::toc, 0x1234fffc, 0x123456789abcdef0);
  CHECK(
      is({0x3d621235, 0x396bfffc, 0xf8410018, 0xe98b0020, 0x7d8903a6, 0x4e800420, 0, 0x73747562}));
  A::write_stub(code, A::form::toc, u64{0} - 0x8000, 0x123456789abcdef0);
  CHECK(
      is({0x3d620000, 0x396b8000, 0xf8410018, 0xe98b0020, 0x7d8903a6, 0x4e800420, 0, 0x73747562}));
  A::write_stub(code, A::form::profile, u64{0} - 0x10ff01, 0x123456789abcdef0);
  CHECK(is({0xe98d0010, 0x3d8cffef, 0x398c00ff, 0x7d8903a6, 0x4e800420, 0, 0, 0x73747562}));
  A::write_stub(code, A::form::no_toc, 0, 0x123456789abcdef0);
  CHECK(is({0x04100000, 0xe5800020, 0x7d8903a6, 0x4e800420, 0, 0, 0, 0x73747562}));
}

namespace {

template <class A>
struct numbers {
  using format = typename A::format;
  static constexpr u32 machine = 21, word = 38, prel32 = 26;
  static constexpr bool rela = true, relative_exports = false;
};

constexpr u64 core = 0xc008000000000000, kernel_toc = 0xc000000001148100;

template <class A>
struct caller : module_builder<numbers<A>> {
  u32 code, stubs, table;
  verify::record r;

  explicit caller(std::size_t bytes = 64) : module_builder<numbers<A>>{"caller"} {
    byte_vector b(bytes);
    for (std::size_t i = 0; i < bytes; i += 4)
      elf::field<u32, A::format::order>::store(b.data() + i, i % 8 == 0 ? 0x48000001 : nop);
    code = this->text(b);
    stubs = this->nobits(".stubs", elf::shf_alloc | elf::shf_execinstr, 0, 8);
    table = this->section(".toc", elf::sht_progbits, elf::shf_alloc | elf::shf_write,
                          byte_vector(16), 1);
    r.regions = {{"core", core, 0}, {"init", core + 0x1000000, 0}};
  }
  u32 outside(std::string_view name, u64 value) {
    r.undefined[std::string{name}] = value;
    return this->undefined(name);
  }
  verify::outcome load(u64 kernel = kernel_toc) {
    verify::outcome o;
    verify::kernel k{};
    k.kernel_toc = kernel;
    verify::load_linux_as<verify::verify_config<A, false, 65536, false>>(r, k, this->build().bytes,
                                                                         o);
    return o;
  }
};

verify::loaded_section section(verify::outcome const& o, std::string_view name) {
  for (verify::loaded_section const& s : o.sections)
    if (s.name == name)
      return s;
  return {};
}
template <class A>
u32 word_of(verify::loaded_section const& s, u64 offset) {
  return A::format::word32::load(&s.bytes.at(offset));
}
template <class A>
u64 target_of(verify::loaded_section const& stubs, u32 n) {
  return A::format::word::load(&stubs.bytes.at(n * 40 + 32));
}
/// The number of the stub that the call at an offset of .text leads to.
template <class A>
u64 stub_at(verify::outcome const& o, u64 offset) {
  auto const text = section(o, ".text"), stubs = section(o, ".stubs");
  u64 const distance = word_of<A>(text, offset) & 0x03fffffc;
  return (text.address + offset + distance - stubs.address) / 40;
}

} // namespace

TEST_CASE_TEMPLATE("powerpc64: stubs in descending order of symbols, one a target", A, ORDERS) {
  caller<A> m;
  u32 const a = m.outside("a", 0xc000000000100000), b = m.outside("b", 0xc000000000200000);
  u32 const same = m.outside("alias", 0xc000000000100000);
  m.rela(m.code, 0, 10, a, 0);
  m.rela(m.code, 8, 10, b, 0);
  m.rela(m.code, 16, 10, same, 0);
  m.rela(m.code, 24, 10, a, 0);
  m.rela(m.code, 32, 10, b, 4);
  u32 const own = m.symbol("own", m.code, 16, elf::stb_global << 4, 0, 3 << 5);
  m.rela(m.code, 40, 10, own, 0);
  u32 const t = m.undefined(".TOC.");
  m.r.undefined[".TOC."] = 0;
  m.rela(m.code, 48, 252, t, 0);
  verify::outcome o = m.load();
  REQUIRE(o.refused == "");
  auto const text = section(o, ".text"), stubs = section(o, ".stubs"), table = section(o, ".toc");
  u64 const r2 = (table.address & ~u64{0xff}) + 0x8000;
  CHECK(table.address % 8 == 0);
  // (b, 4), (b, 0), alias = a, own: five changes, three targets.
  CHECK(stubs.size == 40 * (3 + 5));
  CHECK(target_of<A>(stubs, 0) == 0xc000000000100000);
  CHECK(target_of<A>(stubs, 1) == 0xc000000000200004);
  CHECK(target_of<A>(stubs, 2) == 0xc000000000200000);
  CHECK(std::all_of(stubs.bytes.begin() + 120, stubs.bytes.end(),
                    [](std::byte x) { return x == std::byte{0}; }));
  u64 const expected[] = {0, 2, 0, 0, 1};
  for (u64 i = 0; i < 5; ++i) {
    CHECK(stub_at<A>(o, i * 8) == expected[i]);
    CHECK(word_of<A>(text, i * 8 + 4) == restore);
  }
  CHECK(word_of<A>(text, 40) == (0x48000001 | ((16 + 8 - 40) & 0x03fffffc)));
  CHECK(word_of<A>(text, 44) == nop);
  u64 const distance = stubs.address - r2;
  CHECK(word_of<A>(stubs, 0) == (0x3d620000 | ((distance + 0x8000) >> 16 & 0xffff)));
  CHECK(word_of<A>(stubs, 4) == (0x396b0000 | (distance & 0xffff)));
  CHECK(A::format::half::load(&text.bytes[48]) ==
        ((r2 - text.address - 48 + 0x8000) >> 16 & 0xffff));
  // .TOC. is the architecture's own; this record has another value for it.
  CHECK(o.complaints == std::vector<std::string>{".TOC. has another value"});
}

TEST_CASE_TEMPLATE("powerpc64: without .toc, r2 comes from .stubs", A, ORDERS) {
  module_builder<numbers<A>> m{"bare"};
  m.text(byte_vector(16));
  m.nobits(".stubs", elf::shf_alloc | elf::shf_execinstr, 0, 256);
  u32 const data = m.writable(byte_vector(8));
  m.rela(data, 0, 51, 0, 0);
  verify::record r;
  r.regions = {{"core", core, 0}, {"init", core + 0x1000000, 0}};
  verify::outcome o;
  verify::load_linux_as<verify::verify_config<A, false, 65536, false>>(r, {}, m.build().bytes, o);
  REQUIRE(o.refused == "");
  CHECK(section(o, ".stubs").size == 120);
  CHECK(A::format::word::load(section(o, ".data").bytes.data()) ==
        section(o, ".stubs").address + 0x8000);
}

TEST_CASE_TEMPLATE("powerpc64: _mcount is called without r2", A, ORDERS) {
  for (std::string_view name : {"_mcount", "._mcount"}) {
    caller<A> m;
    m.r.undefined["_mcount"] = kernel_toc - 0x10ff01;
    m.rela(m.code, 4, 10, m.undefined(name), 0); // no nop after it
    verify::outcome o = m.load();
    REQUIRE(o.refused == "");
    auto const stubs = section(o, ".stubs");
    CHECK(word_of<A>(stubs, 0) == 0xe98d0010);
    CHECK(word_of<A>(stubs, 4) == 0x3d8cffef);
    CHECK(word_of<A>(section(o, ".text"), 8) == 0x48000001);
    // A host without a kernel's TOC: as any function.
    o = m.load(0);
    REQUIRE(o.refused == "");
    CHECK(word_of<A>(section(o, ".stubs"), 8) == 0xf8410018);
    // Out of the reach of the kernel's TOC: no stub.
    o = m.load(kernel_toc + 0x100000000);
    CHECK(o.refused.starts_with("ENOENT"));
    CHECK(o.complaints.empty());
  }
}

TEST_CASE_TEMPLATE("powerpc64: a call out needs its nop, a jump does not", A, ORDERS) {
  for (u64 offset : {u64{4}, u64{60}}) {
    caller<A> m;
    m.rela(m.code, offset, 10, m.outside("f", 0xc000000000100000), 0);
    auto put = [&](u32 w) {
      elf::field<u32, A::format::order>::store(m.data(m.code).data() + offset, w);
    };
    for (u32 w : {0x48000001u, 0x40000001u}) {
      put(w);
      verify::outcome o = m.load();
      CHECK(o.refused.starts_with("ENOEXEC"));
      CHECK(o.refused.find("Expected nop after call") != std::string::npos);
    }
    for (u32 w : {0x48000000u, 0x48000003u}) {
      put(w);
      CHECK(m.load().refused == "");
    }
  }
}

TEST_CASE_TEMPLATE("powerpc64: calls that keep no r2", A, ORDERS) {
  caller<A> m;
  u32 const f = m.outside("f", 0xc000000000100000);
  u32 const plain = m.symbol("plain", m.code, 16, elf::stb_global << 4, 0, 1 << 5);
  u32 const wants_r2 = m.symbol("wants_r2", m.code, 32, elf::stb_global << 4, 0, 3 << 5);
  m.rela(m.code, 0, 116, f, 0);
  m.rela(m.code, 8, 116, plain, 0);
  m.rela(m.code, 16, 116, wants_r2, 0);
  m.rela(m.code, 24, 10, f, 0);
  verify::outcome o = m.load();
  REQUIRE(o.refused == "");
  auto const text = section(o, ".text"), stubs = section(o, ".stubs");
  CHECK(stubs.size == 40 * (3 + 4));
  CHECK(stub_at<A>(o, 16) == 0);
  CHECK(target_of<A>(stubs, 0) == text.address + 32);
  CHECK(stub_at<A>(o, 0) == 1);
  CHECK(stub_at<A>(o, 24) == 2);
  CHECK(word_of<A>(stubs, 40) == 0x04100000);
  CHECK(word_of<A>(stubs, 88) == 0xf8410018);
  CHECK(word_of<A>(text, 8) == 0x48000009);
  CHECK(word_of<A>(text, 4) == nop);
  CHECK(word_of<A>(text, 28) == restore);
}

TEST_CASE_TEMPLATE("powerpc64: hostile modules", A, ORDERS) {
  SUBCASE("no .stubs") {
    module_builder<numbers<A>> m{"none"};
    m.text(byte_vector(16));
    verify::record r;
    verify::outcome o;
    verify::load_linux_as<verify::verify_config<A, false, 65536, false>>(r, {}, m.build().bytes, o);
    CHECK(o.refused.starts_with("ENOEXEC"));
    CHECK(o.refused.find(".stubs") != std::string::npos);
  }
  SUBCASE("a .stubs with bytes of its own, more than are needed") {
    module_builder<numbers<A>> m{"full"};
    m.text(byte_vector(16));
    m.text(byte_vector(100000, std::byte{0xaa}), ".stubs");
    verify::record r;
    r.regions = {{"core", core, 0}, {"init", core + 0x1000000, 0}};
    verify::outcome o;
    verify::load_linux_as<verify::verify_config<A, false, 65536, false>>(r, {}, m.build().bytes, o);
    REQUIRE(o.refused == "");
    CHECK(section(o, ".stubs").bytes == byte_vector(120));
  }
  SUBCASE("a .stubs that is not to be loaded becomes a part of the module") {
    module_builder<numbers<A>> m{"unloaded"};
    u32 const code = m.text(byte_vector(16));
    elf::field<u32, A::format::order>::store(m.data(code).data(), 0x48000001);
    elf::field<u32, A::format::order>::store(m.data(code).data() + 4, nop);
    m.section(".stubs", elf::sht_progbits, 0, byte_vector(8), 8);
    verify::record r;
    r.undefined["f"] = 0xc000000000100000;
    m.rela(code, 0, 10, m.undefined("f"), 0);
    r.regions = {{"core", core, 0}, {"init", core + 0x1000000, 0}};
    verify::outcome o;
    verify::load_linux_as<verify::verify_config<A, false, 65536, false>>(r, {}, m.build().bytes, o);
    CHECK(o.refused == "");
    CHECK(target_of<A>(section(o, ".stubs"), 0) == 0xc000000000100000);
  }
  SUBCASE("a symbol table that is called .stubs") {
    module_builder<numbers<A>> m{"disguised"};
    u32 const code = m.text(byte_vector(16));
    for (int i = 0; i < 5000; ++i)
      m.symbol("s" + std::to_string(i), code, 0);
    byte_vector image = m.build().bytes;
    std::string_view const all{reinterpret_cast<char const*>(image.data()), image.size()};
    std::memcpy(image.data() + all.rfind(".symtab"), ".stubs", 7);
    verify::record r;
    r.regions = {{"core", core, 0}, {"init", core + 0x1000000, 0}};
    verify::outcome o;
    verify::load_linux_as<verify::verify_config<A, false, 65536, false>>(r, {}, image, o);
    CHECK(o.refused.starts_with("ENOEXEC"));
    CHECK(o.complaints.empty());
  }
  SUBCASE("symbols that do not exist") {
    caller<A> m;
    m.rela(m.code, 0, 10, 0xffffff, 0);
    m.rela(m.code, 0, 58, 0x7fffffff, 0);
    CHECK(m.load().refused.starts_with("ENOEXEC"));
  }
  SUBCASE("many calls with an addend each cost no more than a look each") {
    caller<A> m{400000};
    u32 const f = m.outside("f", 0xc000000000100000);
    for (u32 i = 0; i < 50000; ++i)
      m.rela(m.code, i * 8, 10, f, i * 4 % 30000 * 4);
    verify::outcome o = m.load();
    REQUIRE(o.refused == "");
    CHECK(section(o, ".stubs").size == 40 * (3 + 7500));
    CHECK(target_of<A>(section(o, ".stubs"), 0) == 0xc000000000100000 + 29996 * 4);
    CHECK(stub_at<A>(o, 0) == 7499);
  }
}
