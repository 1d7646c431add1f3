// SPDX-License-Identifier: MIT
// m68k: each rule again, from the psABI and the instruction set: both ends of what is checked, GOT
// slots to the byte, what is refused, whole modules, and what Linux does otherwise.
#include "reloc/bench.hpp"
#include "support/module_builder.hpp"
#include "verify/load_linux.hpp"

#include <doctest/doctest.h>
#include <kmodld/arch/m68k.hpp>

#include <initializer_list>

using namespace kmodld;
using arch::m68k;
using test::byte_vector;

namespace {

using bench = test::reloc_bench<m68k>;

constexpr u64 at = 8;
constexpr u64 got = 0x50000000;

/// Types as the psABI numbers them.
enum : u32 { none, abs32, abs16, abs8, pc32, pc16, pc8, got32, got16, got8, got32o, got16o, got8o };
enum : u32 { plt32 = 13, plt16, plt8, plt32o, plt16o, plt8o };

struct type_of_width {
  u32 type;
  unsigned bytes;
};

/// One relocation by S and A, where all bytes are ones; with the GOT at `table` or without.
struct one {
  bench b;
  errc code = errc::ok;

  one(u32 type, u64 s, u64 a = 0, bool wide = true) { run(type, s, a, wide); }
  one(u32 type, u64 s, u64 a, std::vector<u32> slots, u64 table = got) {
    slots_ = std::move(slots);
    none_.resize(slots_.size());
    b.state.got = {table};
    b.state.got_slot = slots_;
    b.state.plt_slot = none_;
    run(type, s, a, true);
  }

  /// What stands at the place, in the order of its bytes.
  std::vector<int> bytes(unsigned n) const {
    std::vector<int> out;
    for (unsigned i = 0; i < n; ++i)
      out.push_back(std::to_integer<int>(b.bytes.at(at + i)));
    return out;
  }
  /// Whether nothing but the place is changed.
  bool kept(unsigned n) const {
    for (u64 i = 0; i < b.bytes.size(); ++i)
      if ((i < at || i >= at + n) && b.bytes[i] != std::byte{0xff})
        return false;
    return true;
  }

private:
  std::vector<u32> slots_, none_;

  void run(u32 type, u64 s, u64 a, bool wide) {
    b.place = {0x40000000};
    b.original.assign(b.original.size(), std::byte{0xff});
    b.add(at, type, b.symbol(s & 0xffffffff), static_cast<i64>(a));
    code = wide ? b.run<true>() : b.run<false>();
  }
};

u64 place() { return 0x40000000 + at; }

std::vector<int> big_endian(u64 v, unsigned n) {
  std::vector<int> out;
  for (unsigned i = n; i-- > 0;)
    out.push_back(static_cast<int>(v >> 8 * i & 0xff));
  return out;
}

} // namespace

TEST_CASE("m68k: words of 32 bits wrap, the most significant byte first") {
  one const data{abs32, 0x12345678, 0x10};
  CHECK(data.code == errc::ok);
  CHECK(data.bytes(4) == std::vector<int>{0x12, 0x34, 0x56, 0x88});
  CHECK(data.kept(4));
  CHECK(one(abs32, 0xfffffff0, 0x20).bytes(4) == std::vector<int>{0, 0, 0, 0x10});
  CHECK(one(abs32, 0x10, ~u64{0x1f}).bytes(4) == std::vector<int>{0xff, 0xff, 0xff, 0xf0});
  // bsr.l and lea (d32,%pc): from the displacement itself, to every address.
  for (u32 type : {u32{pc32}, u32{plt32}})
    for (u64 to : {u64{0}, u64{2}, place(), place() + 2, place() - 2, u64{0x7ffffffe},
                   u64{0xbffffffe}, u64{0xc0000008}, u64{0xfffffffe}}) {
      CAPTURE(to);
      one const branch{type, to};
      CHECK(branch.code == errc::ok);
      CHECK(branch.bytes(4) == big_endian(to - place(), 4));
      CHECK(one(type, to, 6).bytes(4) == big_endian(to + 6 - place(), 4));
      CHECK(branch.kept(4));
    }
}

TEST_CASE("m68k: both ends of 16 and 8 bits, and one past them") {
  struct row {
    u32 type;
    unsigned bytes;
    i64 low, high; ///< the last values that fit
    bool relative;
  };
  // Data as assemblers take it, signed or not; distances of bsr.w, bsr.s and (d16,%pc) are signed.
  for (row const& r : {row{abs16, 2, -0x8000, 0xffff, false}, row{abs8, 1, -0x80, 0xff, false},
                       row{pc16, 2, -0x8000, 0x7fff, true}, row{pc8, 1, -0x80, 0x7f, true},
                       row{plt16, 2, -0x8000, 0x7fff, true}, row{plt8, 1, -0x80, 0x7f, true}}) {
    CAPTURE(r.type);
    for (i64 a : {i64{0}, i64{1}, i64{-1}, i64{0x12345}, i64{-0x7fffffff}}) {
      CAPTURE(a);
      auto const with = [&](i64 v) {
        return one(r.type, static_cast<u64>(v - a) + (r.relative ? place() : 0),
                   static_cast<u64>(a));
      };
      for (i64 v : {r.low, r.low + 1, i64{-1}, i64{0}, i64{1}, r.high - 1, r.high}) {
        CAPTURE(v);
        one const fits = with(v);
        CHECK(fits.code == errc::ok);
        CHECK(fits.bytes(r.bytes) == big_endian(static_cast<u64>(v), r.bytes));
        CHECK(fits.kept(r.bytes));
      }
      for (i64 v : {r.low - 1, r.high + 1, r.low - 0x10000, r.high + 0x10000, i64{0x7fffffff},
                    i64{-0x7fffffff}}) {
        CAPTURE(v);
        CHECK(with(v).code == errc::reloc_overflow);
      }
    }
  }
}

TEST_CASE("m68k: the slot of a symbol, from the GOT and from the place") {
  // The third slot; the symbol's value does not count.
  for (type_of_width t :
       {type_of_width{got32o, 4}, type_of_width{got16o, 2}, type_of_width{got8o, 1}}) {
    CAPTURE(t.type);
    one const o{t.type, 0xdeadbeef, 0, {0, 3}};
    CHECK(o.code == errc::ok);
    CHECK(o.bytes(t.bytes) == big_endian(8, t.bytes));
    CHECK(o.kept(t.bytes));
    CHECK(one(t.type, 1, 4, {0, 3}).bytes(t.bytes) == big_endian(12, t.bytes));
  }
  CHECK(one(got32, 1, 0, {0, 3}).bytes(4) == big_endian(got + 8 - place(), 4));
  CHECK(one(got32, 1, 2, {0, 3}).bytes(4) == big_endian(got + 10 - place(), 4));
  CHECK(one(got16, 1, 2, {0, 3}, place() + 0x100).bytes(2) == big_endian(0x10a, 2));
  CHECK(one(got8, 1, 2, {0, 3}, place() - 0x40).bytes(1) == big_endian(~u64{0x35}, 1));

  std::byte slot[4] = {};
  m68k::write_got_slot(slot, 0x12345678);
  CHECK(slot[0] == std::byte{0x12});
  CHECK(slot[3] == std::byte{0x78});
}

TEST_CASE("m68k: how large a GOT may be for 16 and 8 bits, and how far away") {
  // Slot n has n + 1 in the list: 8191 ends 4 bytes before 32 KiB, 31 before 128 bytes.
  CHECK(one(got16o, 1, 0, {0, 8192}).bytes(2) == big_endian(0x7ffc, 2));
  CHECK(one(got16o, 1, 0, {0, 8193}).code == errc::reloc_overflow);
  CHECK(one(got8o, 1, 0, {0, 32}).bytes(1) == big_endian(0x7c, 1));
  CHECK(one(got8o, 1, 0, {0, 33}).code == errc::reloc_overflow);
  CHECK(one(got32o, 1, 0, {0, 0x10000000}).bytes(4) == big_endian(0x3ffffffc, 4));
  for (u32 type : {got16, got8}) {
    CAPTURE(type);
    unsigned const n = type == got16 ? 2 : 1;
    u64 const last = type == got16 ? 0x7fff : 0x7f, first = ~last;
    CHECK(one(type, 1, 0, {0, 1}, place() + last).bytes(n) == big_endian(last, n));
    CHECK(one(type, 1, 0, {0, 1}, place() + first).bytes(n) == big_endian(first, n));
    CHECK(one(type, 1, 0, {0, 1}, place() + last + 1).code == errc::reloc_overflow);
    CHECK(one(type, 1, 0, {0, 1}, place() + first - 1).code == errc::reloc_overflow);
  }
}

TEST_CASE("m68k: nothing leads to a slot that there is not") {
  for (u32 type = got32; type <= got8o; ++type) {
    CAPTURE(type);
    CHECK(one(type, 1).code == errc::reloc_no_slot);
    CHECK(one(type, 1, 0, {0, 0}).code == errc::reloc_no_slot);
    CHECK(one(type, 1, 0, std::vector<u32>(1)).code == errc::reloc_no_slot);
  }
}

TEST_CASE("m68k: _GLOBAL_OFFSET_TABLE_ itself is no slot") {
  for (type_of_width t :
       {type_of_width{got32, 4}, type_of_width{got16, 2}, type_of_width{got8, 1}}) {
    CAPTURE(t.type);
    bench b;
    u32 slots[] = {0, 3, 2}, no_stubs[] = {0, 0, 0};
    b.state.got = {b.place.value + 0x60};
    b.state.got_slot = slots;
    b.state.plt_slot = no_stubs;
    u32 const table = b.symbol(b.place.value + 0x60), other = b.symbol(77);
    b.state.got_symbol = table;
    b.add(at, t.type, table, 2);
    b.add(at + 16, t.type, other, 2);
    CHECK(b.run() == errc::ok);
    u64 v = 0, w = 0;
    for (unsigned i = 0; i < t.bytes; ++i) {
      v = v << 8 | std::to_integer<u64>(b.bytes[at + i]);
      w = w << 8 | std::to_integer<u64>(b.bytes[at + 16 + i]);
    }
    CHECK(v == 0x60 + 2 - at);
    CHECK(w == 0x60 + 4 + 2 - at - 16);
    // The offset of its slot is that of a slot.
    bench o;
    o.state = b.state;
    o.add(at, got32o, o.symbol(0), 0);
    CHECK(o.run() == errc::ok);
    CHECK(o.word(at) == 8);
  }
  // The null symbol is never the GOT.
  bench b;
  b.state.got = {got};
  b.add(at, got32, 0, 0);
  CHECK(b.run() == errc::reloc_no_slot);
}

TEST_CASE("m68k: places of data at odd addresses") {
  bench b;
  b.add(1, abs32, b.symbol(0x01020304));
  b.add(7, abs16, b.symbol(0x0506));
  b.add(11, pc32, b.symbol(b.place.value + 11 + 0x0708090a));
  CHECK(b.run() == errc::ok);
  for (unsigned i = 0; i < 4; ++i)
    CHECK(b.bytes[1 + i] == std::byte(i + 1));
  CHECK(b.bytes[7] == std::byte{5});
  CHECK(b.bytes[8] == std::byte{6});
  for (unsigned i = 0; i < 4; ++i)
    CHECK(b.bytes[11 + i] == std::byte(i + 7));
}

TEST_CASE("m68k: Linux's types by themselves, and only those when it is asked for") {
  for (reloc::rule const& r : m68k::rules) {
    CAPTURE(r.type);
    bool const linux = r.type == abs32 || r.type == pc32;
    CHECK(((r.flags & reloc::by_linux) != 0) == linux);
    errc const code = one(r.type, 0x100, 0, false).code;
    CHECK(code == (linux ? errc::ok : errc::reloc_unknown_i386));
  }
  CHECK(errno_of(errc::reloc_unknown_i386) == e_noexec);
}

TEST_CASE("m68k: types of dynamic objects, of a PLT, of threads, and those that there are not") {
  for (u32 type : {16u, 17u, 18u, 19u, 20u, 21u, 22u, 43u, 100u, 255u}) {
    CAPTURE(type);
    one const o{type, 1};
    CHECK(o.code == errc::reloc_unknown_i386);
    CHECK(o.kept(0));
    CHECK(one(type, 1, 0, {0, 1}).code == errc::reloc_unknown_i386);
  }
  for (u32 type = 25; type <= 42; ++type) {
    CAPTURE(type);
    CHECK(one(type, 1).code == errc::reloc_tls);
  }
  for (u32 type : {u32{none}, 23u, 24u}) { // marks for a linker that drops unused parts
    CAPTURE(type);
    one const o{type, 1};
    CHECK(o.code == errc::ok);
    CHECK(o.kept(0));
  }
}

TEST_CASE("m68k: a call by the PLT does not lead to what nobody defines") {
  for (u32 type : {13u, 14u, 15u, 4u, 5u, 6u}) {
    CAPTURE(type);
    bench b;
    b.symbol(b.place.value + at + 2);
    b.attributes = {0, symbol_undefined | symbol_weak | symbol_unresolved};
    b.bytes = b.original;
    b.add(at, type, 1);
    error e;
    errc const code = relocate<m68k>(b.input(), {b.values, b.attributes, true}, b.state, e);
    CHECK(code == (type >= plt32 ? errc::reloc_weak_branch : errc::ok));
  }
}

TEST_CASE("m68k: places and symbols that are not there") {
  u32 slots[] = {0, 1}, no_stubs[] = {0, 0};
  for (reloc::rule const& rule : m68k::rules) {
    if (rule.field.bytes == 0)
      continue;
    CAPTURE(rule.type);
    for (u32 offset : {65u - rule.field.bytes, 64u, 0x80000000u, 0xffffffffu}) {
      CAPTURE(offset);
      bench b;
      b.state.got = {b.place.value};
      b.state.got_slot = slots;
      b.state.plt_slot = no_stubs;
      b.add(offset, rule.type, b.symbol(b.place.value));
      CHECK(b.run() == errc::reloc_offset);
      CHECK(b.bytes == b.original);
    }
    bench b;
    b.state.got = {b.place.value};
    b.state.got_slot = slots;
    b.state.plt_slot = no_stubs;
    b.add(at, rule.type, 1);
    CHECK(b.run() == errc::reloc_symbol);
    CHECK(b.bytes == b.original);
  }
}

TEST_CASE("m68k: which files are its own, where memory may be, and the kernel's tables") {
  m68k::format::ehdr h{};
  h.e_machine = 4;
  CHECK(m68k::accepts(h));
  for (u16 other : {u16{0}, u16{3}, u16{8}, u16{22}, u16{0x400}}) {
    h.e_machine = other;
    CHECK(!m68k::accepts(h));
  }
  reach_window const w = m68k::reach({{0x10000000}, {0x10ffffff}});
  CHECK(w.first.value == 0);
  CHECK(w.last.value == 0xffffffff);
  using abi = abi::linux_of<m68k, abi::linux_6_1>;
  CHECK(abi::ksymtab == ksymtab_format::absolute);
  CHECK(abi::extable == extable_kind::absolute);
}

TEST_CASE("m68k: 32-bit words are one class, and nothing else is hot") {
  using classes = reloc::classes<m68k>;
  CHECK(classes::count == 1);
  CHECK(classes::of_type(abs32) == classes::of_type(pc32));
  CHECK(classes::of_type(plt32) == classes::no_class);
}

namespace {

struct m68k_numbers {
  using format = elf::elf32_be;
  [[maybe_unused]] static constexpr u32 machine = 4, word = 1, prel32 = 4;
  [[maybe_unused]] static constexpr bool rela = true, relative_exports = false;
};
using builder = test::module_builder<m68k_numbers>;

using config = verify::verify_config<m68k, false, 4096, false>;
struct narrow_config : config {
  struct abi : config::abi {
    static constexpr bool wide_relocations = false;
  };
};

constexpr u64 core = 0x30000000;

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
    return elf::elf32_be::word::load(&(*this)[name].bytes.at(offset));
  }
  u16 half(std::string_view name, u64 offset) const {
    return elf::elf32_be::half::load(&(*this)[name].bytes.at(offset));
  }
};

template <class Config = config>
loaded load(builder const& m, std::map<std::string, u64> undefined) {
  verify::record r;
  r.regions = {{"core", core, 0}, {"init", core + 0x1000000, 0}};
  r.undefined = std::move(undefined);
  loaded l;
  auto const file = m.build();
  verify::load_linux_as<Config>(r, {}, file.bytes, l.o);
  return l;
}

} // namespace

TEST_CASE("m68k: a module as compilers make it without -fpic") {
  for (bool wide : {true, false}) {
    builder m{"plain"};
    u32 const text = m.text(byte_vector(32));
    u32 const data = m.writable(byte_vector(16));
    u32 const printk = m.undefined("printk"), absent = m.undefined("absent", true);
    u32 const init = m.function("start", text, 4);
    m.init(text, 4).export_symbol("start", init);
    m.rela(text, 2, pc32, printk, 0);                   // bsr.l printk
    m.rela(text, 8, abs32, printk, 0);                  // jsr printk
    m.rela(text, 14, abs32, m.section_symbol(data), 4); // move.l (.data + 4), %d0
    m.rela(data, 0, abs32, init, 0);                    // .long start
    m.rela(data, 4, abs32, absent, 0);                  // .long absent
    m.rela(data, 8, abs32, printk, -0x3000000);         // .long printk - 0x3000000
    std::map<std::string, u64> const there = {{"printk", 0x00123456}};
    loaded const l = wide ? load(m, there) : load<narrow_config>(m, there);
    REQUIRE(l.o.refused == "");
    CHECK(l.o.complaints.empty());
    u64 const code = l[".text"].address;
    CHECK(l[".got"].size == 0);
    CHECK(l.word(".text", 2) == static_cast<u32>(0x00123456 - (code + 2)));
    CHECK(l.word(".text", 8) == 0x00123456);
    CHECK(l.word(".text", 14) == l[".data"].address + 4);
    CHECK(l.word(".data", 0) == code + 4);
    CHECK(l.word(".data", 4) == 0);
    CHECK(l.word(".data", 8) == 0xfd123456);
    // An export is two addresses (and a third for a namespace).
    CHECK(l.word("__ksymtab", 0) == code + 4);
    CHECK(l.word("__ksymtab", 4) == l["__ksymtab_strings"].address);
    CHECK(l.word("__ksymtab", 8) == 0);
  }
}

TEST_CASE("m68k: a module as compilers make it with -fpic") {
  builder m{"pic"};
  u32 const text = m.text(byte_vector(64));
  u32 const own = m.writable(byte_vector(8));
  u32 const table = m.undefined("_GLOBAL_OFFSET_TABLE_");
  u32 const outside = m.undefined("outside"), function = m.undefined("function"),
            absent = m.undefined("absent", true);
  u32 const local = m.symbol("local", own, 4);
  m.rela(text, 4, got32, table, 2);     // lea (%pc, _GLOBAL_OFFSET_TABLE_@GOTPC), %a5
  m.rela(text, 10, got16o, outside, 0); // move.l outside@GOT(%a5), %a0
  m.rela(text, 14, got16o, local, 0);   // move.l local@GOT(%a5), %a1
  m.rela(text, 18, got32o, outside, 0); // the same slot
  m.rela(text, 24, plt32, function, 0); // bsr.l function@PLTPC
  m.rela(text, 30, got16o, absent, 0);  // move.l absent@GOT(%a5), %d0
  m.rela(text, 34, got32, outside, 2);  // move.l ([%pc, outside@GOTPC]), %d0
  m.rela(text, 40, pc32, table, 0);     // .long _GLOBAL_OFFSET_TABLE_ - .
  m.rela(text, 44, abs32, table, 0);    // .long _GLOBAL_OFFSET_TABLE_
  loaded const l = load(m, {{"outside", 0x87654321}, {"function", 0x00400000}});
  REQUIRE(l.o.refused == "");
  CHECK(l.o.complaints.empty());
  CHECK(!l.o.asked.contains("_GLOBAL_OFFSET_TABLE_"));
  u64 const code = l[".text"].address, slots = l[".got"].address;
  // By first use: the GOT itself, outside, local, absent.
  REQUIRE(l[".got"].size == 16);
  CHECK(l.word(".got", 0) == slots);
  CHECK(l.word(".got", 4) == 0x87654321);
  CHECK(l.word(".got", 8) == l[".data"].address + 4);
  CHECK(l.word(".got", 12) == 0);
  CHECK(l[".got"].bytes[4] == std::byte{0x87});
  CHECK(l.word(".text", 4) == static_cast<u32>(slots + 2 - (code + 4)));
  CHECK(l.half(".text", 10) == 4);
  CHECK(l.half(".text", 14) == 8);
  CHECK(l.word(".text", 18) == 4);
  CHECK(l.word(".text", 24) == static_cast<u32>(0x00400000 - (code + 24)));
  CHECK(l.half(".text", 30) == 12);
  CHECK(l.word(".text", 34) == static_cast<u32>(slots + 4 + 2 - (code + 34)));
  CHECK(l.word(".text", 40) == static_cast<u32>(slots - (code + 40)));
  CHECK(l.word(".text", 44) == slots);

  // Linux makes no GOT: nobody defines its name, and the type is unknown.
  loaded const as_linux = load<narrow_config>(m, {{"outside", 1}, {"function", 2}});
  CHECK(as_linux.o.refused.starts_with("ENOENT"));
  loaded const with_name =
      load<narrow_config>(m, {{"outside", 1}, {"function", 2}, {"_GLOBAL_OFFSET_TABLE_", 3}});
  CHECK(with_name.o.refused.starts_with("ENOEXEC"));
  CHECK(with_name.o.refused.find("Unknown relocation: 7") != std::string::npos);
}

TEST_CASE("m68k: every undefined _GLOBAL_OFFSET_TABLE_ is the GOT, if an object has several") {
  builder m{"twice"};
  u32 const text = m.text(byte_vector(24));
  u32 const outside = m.undefined("outside");
  u32 const first = m.undefined("_GLOBAL_OFFSET_TABLE_");
  u32 const second = m.undefined("_GLOBAL_OFFSET_TABLE_");
  m.rela(text, 0, got16o, outside, 0);
  m.rela(text, 4, got32, first, 0);
  m.rela(text, 8, got32, second, 0);
  m.rela(text, 12, got32o, second, 0);
  loaded const l = load(m, {{"outside", 0x87654321}});
  REQUIRE(l.o.refused == "");
  u64 const code = l[".text"].address, slots = l[".got"].address;
  CHECK(l.word(".text", 4) == static_cast<u32>(slots - (code + 4)));
  CHECK(l.word(".text", 8) == static_cast<u32>(slots - (code + 8)));
  CHECK(l.word(".got", l.word(".text", 12)) == slots);
}

TEST_CASE("m68k: a module that defines _GLOBAL_OFFSET_TABLE_ has a symbol of that name") {
  builder m{"own"};
  u32 const text = m.text(byte_vector(16));
  u32 const data = m.writable(byte_vector(8));
  u32 const table = m.symbol("_GLOBAL_OFFSET_TABLE_", data, 4);
  m.rela(text, 4, got32, table, 0);
  loaded const l = load(m, {});
  REQUIRE(l.o.refused == "");
  REQUIRE(l[".got"].size == 4);
  CHECK(l.word(".got", 0) == l[".data"].address + 4);
  CHECK(l.word(".text", 4) == static_cast<u32>(l[".got"].address - l[".text"].address - 4));
}

TEST_CASE("m68k: modules that are refused") {
  {
    builder m{"far"}; // bsr.w reaches 32 KiB
    m.rela(m.text(byte_vector(16)), 2, pc16, m.undefined("f"), 0);
    loaded const l = load(m, {{"f", core + 0x100000}});
    CHECK(l.o.refused.starts_with("ENOEXEC"));
    CHECK(l.o.refused.find("overflow in relocation type 5") != std::string::npos);
    CHECK(load(m, {{"f", core + 0x1000}}).o.refused == "");
  }
  {
    builder m{"rel"}; // Linux would take it; no tool makes it
    m.rel(m.text(byte_vector(16)), 4, abs32, m.undefined("f"));
    CHECK(load(m, {{"f", 1}}).o.refused.starts_with("ENOEXEC"));
  }
  {
    builder m{"hostile"}; // symbols that there are not
    u32 const text = m.text(byte_vector(16));
    m.rela(text, 2, got32, 0xffffff, 0);
    m.rela(text, 8, got16o, 0x7fffff, 0);
    loaded const l = load(m, {});
    CHECK(l.o.refused.starts_with("ENOEXEC"));
    CHECK(l.o.complaints.empty());
  }
  {
    builder m{"tls"};
    m.rela(m.text(byte_vector(16)), 4, 34, m.undefined("x"), 0);
    loaded const l = load(m, {{"x", 1}});
    CHECK(l.o.refused.starts_with("ENOEXEC"));
    CHECK(l.o.refused.find("thread-local") != std::string::npos);
  }
}
