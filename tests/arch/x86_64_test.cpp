// SPDX-License-Identifier: MIT
// Every rule of the x86-64 table at the limits of its field, against the psABI's formulas worked
// out beside it.
#include "reloc/workbench.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace kmodld;
using namespace kmodld::test;
using bench = workbench;

namespace {

constexpr u64 offset = 24; ///< of the place, in the middle of the section

/// One relocation of `type` whose value is `v`: S is chosen so.
bench with_value(plain_type const& t, wide_int v, i64 addend) {
  bench b;
  u64 s = static_cast<u64>(v) - static_cast<u64>(addend);
  if (t.relative)
    s += b.place.value + offset;
  b.add(offset, t.type, b.symbol(s), addend);
  return b;
}

bool neighbours_untouched(bench const& b, unsigned bytes) {
  for (u64 i = 0; i < b.bytes.size(); ++i)
    if ((i < offset || i >= offset + bytes) && b.bytes[i] != b.original[i])
      return false;
  return true;
}

/// GOT at 0x40100000, PLT at 0x40101000; symbol 1 has GOT slot 3 and PLT entry 2.
struct slots_bench : bench {
  static constexpr u64 got = 0x40100000, plt = 0x40101000;
  u32 got_slot[4] = {0, 3, 0, 0};
  u32 plt_slot[4] = {0, 2, 0, 0};
  elf::elf64_le::sym symbol_entries[4] = {};

  slots_bench() {
    values = {0, 0x40200010, 0x40200020, 0x40200030};
    symbol_entries[1].st_size = 0x1234;
    state.got = {got};
    state.plt = {plt};
    state.got_slot = got_slot;
    state.plt_slot = plt_slot;
    state.symbols = symbol_entries;
  }
  u64 result(u32 type, unsigned size, i64 addend, u32 symbol = 1) {
    relocations.clear();
    add(offset, type, symbol, addend);
    REQUIRE(run() == errc::ok);
    return word(offset, size);
  }
};

} // namespace

TEST_CASE("values at, inside and one past each limit") {
  for (plain_type const& t : plain_types) {
    CAPTURE(t.type);
    for (i64 addend : {i64{0}, i64{-4}, i64{0x7fffffff}, i64{-0x7fffffff - 1}}) {
      CAPTURE(addend);
      for (wide_int v :
           {t.low, t.low + 1, wide_int{0}, wide_int{-1}, wide_int{1}, t.high - 1, t.high}) {
        if (v < t.low || v > t.high)
          continue;
        bench b = with_value(t, v, addend);
        u64 mask = t.bytes == 8 ? ~u64{0} : (u64{1} << t.bytes * 8) - 1;
        REQUIRE(b.run() == errc::ok);
        CHECK(b.word(offset, t.bytes) == (static_cast<u64>(v) & mask));
        CHECK(neighbours_untouched(b, t.bytes));
        REQUIRE(b.run_exact() == errc::ok);
        CHECK(b.word(offset, t.bytes) == (static_cast<u64>(v) & mask));
      }
      if (t.bytes == 8)
        continue;
      for (wide_int v : {t.low - 1, t.high + 1}) {
        bench b = with_value(t, v, addend);
        CHECK(b.run() == errc::reloc_overflow);
        CHECK(b.err.code == errc::reloc_overflow);
        CHECK(b.err.index == 0);
        CHECK(b.err.number[0] == t.type);
        CHECK(b.err.number[1] == static_cast<u64>(v));
        CHECK(b.run_exact() == errc::reloc_overflow);
      }
    }
  }
}

TEST_CASE("a place that is not zero is refused for Linux's types, whichever byte it is") {
  for (plain_type const& t : plain_types)
    for (unsigned i = 0; i < t.bytes; ++i) {
      CAPTURE(t.type);
      CAPTURE(i);
      bench b = with_value(t, 5, 2);
      u64 const s_a = b.values[1] + 2;
      b.original[offset + i] = std::byte{0x80};
      if (!t.linux_type) {
        REQUIRE(b.run() == errc::ok);
        CHECK(b.word(offset, t.bytes) == 5);
        continue;
      }
      CHECK(b.run() == errc::reloc_nonzero);
      CHECK(b.err.number[0] == t.type);
      CHECK(b.err.number[1] == s_a);
      CHECK(b.bytes == b.original);
      CHECK(b.run<false>() == errc::reloc_nonzero);
    }
}

TEST_CASE("bytes beside the place may be anything") {
  for (plain_type const& t : plain_types) {
    bench b = with_value(t, 5, 0);
    for (u64 i = 0; i < b.original.size(); ++i)
      if (i < offset || i >= offset + t.bytes)
        b.original[i] = std::byte{0xff};
    REQUIRE(b.run() == errc::ok);
    CHECK(b.word(offset, t.bytes) == 5);
    CHECK(neighbours_untouched(b, t.bytes));
  }
}

TEST_CASE("an offset fits up to size - width and no further") {
  for (plain_type const& t : plain_types) {
    CAPTURE(t.type);
    bench b;
    u64 const last = b.original.size() - t.bytes;
    u32 const s = b.symbol(t.relative ? b.place.value + last : 0);
    b.add(last, t.type, s);
    CHECK(b.run() == errc::ok);
    CHECK(b.run_exact() == errc::ok);
    for (u64 wrong : {last + 1, last + t.bytes, ~u64{0}, ~u64{0} - t.bytes + 1}) {
      b.relocations[0].r_offset = wrong;
      CHECK(b.run() == errc::reloc_offset);
      CHECK(b.err.number[0] == wrong);
      CHECK(b.err.number[1] == b.original.size());
      CHECK(b.bytes == b.original);
      CHECK(b.run_exact() == errc::reloc_offset);
    }
    // A section that is smaller than the field.
    b.relocations[0].r_offset = 0;
    b.original.resize(t.bytes - 1);
    CHECK(b.run() == errc::reloc_offset);
    b.original.clear();
    CHECK(b.run() == errc::reloc_offset);
  }
}

TEST_CASE("a symbol index must be in the table") {
  for (plain_type const& t : plain_types)
    for (u32 index : {2u, 3u, 0x7fffffffu, 0xffffffffu}) {
      bench b = with_value(t, 0, 0);
      b.relocations[0].r_info = u64{index} << 32 | t.type;
      CHECK(b.run() == errc::reloc_symbol);
      CHECK(b.err.number[0] == index);
      CHECK(b.run_exact() == errc::reloc_symbol);
    }
  bench none;
  none.values.clear();
  none.add(0, 1, 0);
  CHECK(none.run() == errc::reloc_symbol);
}

TEST_CASE("R_X86_64_NONE writes nothing and looks at nothing") {
  bench b;
  b.original[8] = std::byte{1};
  b.add(~u64{0}, 0, 0xffffffff, 7);
  b.add(8, 0, 0, 7);
  CHECK(b.run() == errc::ok);
  CHECK(b.bytes == b.original);
  CHECK(b.run<false>() == errc::ok);
}

TEST_CASE("types that nobody knows, that Linux does not know, and TLS") {
  std::set<u32> const linux_types{0, 1, 2, 4, 10, 11, 24};
  std::set<u32> const tls{16, 17, 18, 19, 20, 21, 22, 23, 34, 35, 36};
  std::set<u32> const wide{3, 9, 12, 13, 14, 15, 25, 26, 27, 28, 29, 30, 31, 32, 33, 41, 42};
  std::vector<u32> types;
  for (u32 t = 0; t < 300; ++t)
    types.push_back(t);
  types.push_back(0x7fffffff);
  types.push_back(0xffffffff);
  for (u32 t : types) {
    CAPTURE(t);
    bench b;
    u32 const s = b.symbol(b.place.value + offset);
    b.add(offset, t, s, 0);
    bool const known = linux_types.contains(t) || wide.contains(t);
    errc const answer = b.run();
    if (tls.contains(t))
      CHECK(answer == errc::reloc_tls);
    else
      CHECK((answer == errc::reloc_unknown) == !known);
    CHECK((b.run<false>() == errc::reloc_unknown) == !linux_types.contains(t));
    if (!known)
      CHECK(b.err.number[0] == t);
  }
  CHECK(linux_types.size() + tls.size() + wide.size() == std::size(arch::x86_64::rules));
}

TEST_CASE("names and numbers of the table are the psABI's") {
  auto name = [](u32 type) { return c_string(reloc::find_rule<arch::x86_64>(type)->name); };
  CHECK(name(1) == "R_X86_64_64");
  CHECK(name(2) == "R_X86_64_PC32");
  CHECK(name(4) == "R_X86_64_PLT32");
  CHECK(name(9) == "R_X86_64_GOTPCREL");
  CHECK(name(11) == "R_X86_64_32S");
  CHECK(name(24) == "R_X86_64_PC64");
  CHECK(name(31) == "R_X86_64_PLTOFF64");
  CHECK(name(42) == "R_X86_64_REX_GOTPCRELX");
  for (std::size_t i = 1; i < std::size(arch::x86_64::rules); ++i)
    CHECK(arch::x86_64::rules[i - 1].type < arch::x86_64::rules[i].type);
}

TEST_CASE("GOT formulas") {
  slots_bench b;
  u64 const got = slots_bench::got, p = b.place.value + offset, s = b.values[1];
  u64 const slot = got + 2 * 8; // the third
  for (i64 a : {i64{0}, i64{-4}, i64{100}}) {
    CAPTURE(a);
    u64 const ua = static_cast<u64>(a);
    for (u32 type : {9u, 41u, 42u}) // GOTPCREL, GOTPCRELX, REX_GOTPCRELX
      CHECK(b.result(type, 4, a) == static_cast<u32>(slot + ua - p));
    CHECK(b.result(28, 8, a) == slot + ua - p);                    // GOTPCREL64
    CHECK(b.result(3, 4, a) == static_cast<u32>(slot - got + ua)); // GOT32
    CHECK(b.result(27, 8, a) == slot - got + ua);                  // GOT64
    CHECK(b.result(30, 8, a) == slot - got + ua);                  // GOTPLT64
    CHECK(b.result(25, 8, a) == s + ua - got);                     // GOTOFF64
    CHECK(b.result(25, 8, a, 2) == b.values[2] + ua - got);
    CHECK(b.result(26, 4, a) == static_cast<u32>(got + ua - p));   // GOTPC32
    CHECK(b.result(29, 8, a) == got + ua - p);                     // GOTPC64
    CHECK(b.result(31, 8, a) == slots_bench::plt + 16 + ua - got); // PLTOFF64
    CHECK(b.result(31, 8, a, 2) == b.values[2] + ua - got);        // no PLT entry: L is S
    if (a >= 0)
      CHECK(b.result(32, 4, a) == 0x1234 + ua); // SIZE32
    CHECK(b.result(33, 8, a) == 0x1234 + ua);   // SIZE64
  }
}

TEST_CASE("GOT forms at their limits") {
  slots_bench b;
  u64 const p = b.place.value + offset;
  auto one = [&](u32 type, i64 addend, u32 symbol = 1) {
    b.relocations.clear();
    b.add(offset, type, symbol, addend);
    return b.run();
  };
  for (u32 type : {9u, 41u, 42u}) {
    b.state.got = {p + 0x7fffffff - 16};
    CHECK(one(type, 0) == errc::ok);
    CHECK(b.word(offset, 4) == 0x7fffffff);
    CHECK(one(type, 1) == errc::reloc_overflow);
    CHECK(b.err.number[1] == 0x80000000);
    b.state.got = {p - 0x80000000 - 16};
    CHECK(one(type, 0) == errc::ok);
    CHECK(one(type, -1) == errc::reloc_overflow);
  }
  b.state.got = {p + 0x7fffffff};
  CHECK(one(26, 0) == errc::ok);
  CHECK(one(26, 1) == errc::reloc_overflow);
  CHECK(one(3, 0x7fffffff - 16) == errc::ok);
  CHECK(one(3, 0x7fffffff - 15) == errc::reloc_overflow);
  CHECK(one(32, 0xffffffff - 0x1234) == errc::ok);
  CHECK(one(32, i64{0x100000000} - 0x1234) == errc::reloc_overflow);
  CHECK(one(32, -0x1235) == errc::reloc_overflow);
}

TEST_CASE("a symbol without the slot that a relocation needs") {
  slots_bench b;
  for (u32 type : {3u, 9u, 27u, 28u, 30u, 41u, 42u}) {
    b.relocations.clear();
    b.add(offset, type, 2);
    CHECK(b.run() == errc::reloc_no_slot);
    CHECK(b.err.number[0] == type);
  }
  // No GOT at all.
  bench bare;
  bare.symbol(0);
  for (u32 type : {3u, 9u, 25u, 26u, 29u, 31u, 32u, 33u}) {
    bare.relocations.clear();
    bare.add(offset, type, 1);
    CHECK(bare.run() == errc::reloc_no_slot);
  }
}

TEST_CASE("a call goes through the PLT only where it must") {
  slots_bench b;
  u64 const p = b.place.value + offset;
  for (u64 target : {p + 4 + 0x7fffffff, p - 0x80000000 + 4, p + 100}) {
    b.values[1] = target;
    CHECK(b.result(4, 4, -4) == static_cast<u32>(target - 4 - p));
  }
  for (u64 target : {p + 4 + 0x80000000, p - 0x80000000 + 3, u64{0xffff888000000000}}) {
    b.values[1] = b.values[2] = target;
    CHECK(b.result(4, 4, -4) == static_cast<u32>(slots_bench::plt + 16 - 4 - p));
    b.relocations.clear();
    b.add(offset, 4, 2, -4); // no entry
    CHECK(b.run() == errc::reloc_overflow);
    b.relocations.clear();
    b.add(offset, 2, 1, -4); // PC32 is data: never through the PLT
    CHECK(b.run() == errc::reloc_overflow);
  }
}

TEST_CASE("contents of GOT slots and PLT entries") {
  std::byte slot[8], entry[16];
  arch::x86_64::write_got_slot(slot, 0x1122334455667788);
  CHECK(read_bytes({slot, slot + 8}, 0, 8) == 0x1122334455667788);
  arch::x86_64::write_plt_entry(entry, 0x1122334455667788);
  std::vector<std::byte> const e{entry, entry + 16};
  CHECK(read_bytes(e, 0, 2) == 0x25ff); // jmp *disp32(%rip)
  CHECK(read_bytes(e, 2, 4) == 2);      // over the nop
  CHECK(read_bytes(e, 6, 2) == 0x9066); // xchg %ax,%ax
  CHECK(read_bytes(e, 8, 8) == 0x1122334455667788);
}

TEST_CASE("what each type asks of GOT and PLT") {
  std::set<u32> const slot{3, 9, 27, 28, 30, 41, 42}, table{25, 26, 29, 31}, plt{4, 31};
  for (u32 type = 0; type < 64; ++type) {
    CAPTURE(type);
    unsigned const n = arch::x86_64::needs_of(type);
    CHECK(((n & reloc::needs_got_slot) != 0) == slot.contains(type));
    CHECK(((n & reloc::needs_got) != 0) == (slot.contains(type) || table.contains(type)));
    CHECK(((n & reloc::needs_plt_entry) != 0) == plt.contains(type));
    CHECK(reloc::slot_needs<arch::x86_64>::of(type) == n);
  }
  CHECK(reloc::slot_needs<arch::x86_64>::of(0xffffffff) == 0);
}

TEST_CASE("a branch to a weak symbol that nobody defines") {
  for (u32 type : {4u, 2u, 1u}) {
    bench b;
    b.symbol(0);
    b.attributes = {0, symbol_undefined | symbol_weak | symbol_unresolved};
    b.unresolved_weak = true;
    b.place = {0x10000};
    b.add(offset, type, 1, -4);
    if (type == 4) {
      CHECK(b.run() == errc::reloc_weak_branch);
      CHECK(b.err.number[0] == 4);
      CHECK(b.bytes == b.original);
      b.attributes.clear(); // as a host for plugins asks for it
      CHECK(b.run() == errc::ok);
    } else {
      CHECK(b.run() == errc::ok);
    }
  }
}

TEST_CASE("reach: everything in the window is within 2 GiB of everything in the answer") {
  using window = reach_window;
  for (window w : {window{{0xffffffff80000000}, {0xffffffff80ffffff}},
                   window{{0x400000}, {0x500000}}, window{{0x7f0000000000}, {0x7f0000000000}}}) {
    window const r = arch::x86_64::reach(w);
    REQUIRE(!r.empty());
    CHECK(r.first <= w.first);
    CHECK(r.last >= w.last);
    CHECK(w.last.value - r.first.value <= 0x7fffffff);
    CHECK(r.last.value - w.first.value <= 0x7fffffff);
  }
  // What is wider than the reach leaves nothing.
  CHECK(arch::x86_64::reach({{0x1000}, {0x200000000}}).empty());
}
