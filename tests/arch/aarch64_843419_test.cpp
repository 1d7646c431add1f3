// SPDX-License-Identifier: MIT
// AArch64: no ADRP in the last two words of a page where the CPU has erratum 843419, and the
// tracer's stubs, which module_finalize writes.
#include "reloc/bench.hpp"
#include "support/module_builder.hpp"
#include "verify/load_linux.hpp"

#include <kmodld/arch/aarch64_843419.hpp>

#include <doctest/doctest.h>

using namespace kmodld;
using namespace kmodld::test;

namespace {

using plain = arch::aarch64;
using careful = arch::aarch64_843419;

constexpr u32 adrp_x5 = 0x90000005;

// The instructions, as the manual has them.
constexpr u32 adr(u32 rd, u64 distance) {
  return static_cast<u32>(0x10000000 | (distance & 3) << 29 | (distance >> 2 & 0x7ffff) << 5 | rd);
}
constexpr u32 adrp(u32 rd, u64 from, u64 to) {
  return 0x80000000 | adr(rd, (to >> 12) - (from >> 12));
}
constexpr u32 b(u64 from, u64 to) {
  return static_cast<u32>(0x14000000 | ((to - from) >> 2 & 0x3ffffff));
}

/// One ADRP of a type at an address, for a symbol `target`.
template <class A>
errc one(reloc_bench<A>& bench, u64 p, u64 target, u32 type = 275) {
  bench.relocations.clear();
  bench.values.resize(1);
  bench.place = {p - 24};
  bench.add(24, type, bench.symbol(target));
  bench.put(24, adrp_x5);
  return bench.run();
}

constexpr u64 core_base = 0xffff800001000000, init_base = 0xffff800001800000,
              far = 0xffff800081000000;

struct caller : module_builder<aarch64_numbers> {
  u32 text_section = 0;
  verify::record r;

  explicit caller(u64 bytes, u64 before = 0) : module_builder{"caller"} {
    if (before != 0)
      text(byte_vector(before), ".text.before");
    byte_vector code(bytes);
    text_section = text(code);
    plt(".plt"), plt(".init.plt");
    r.regions = {{"core", core_base, 0}, {"init", init_base, 0}};
  }
  void plt(std::string_view name) {
    section(name, elf::sht_progbits, elf::shf_alloc | elf::shf_execinstr, byte_vector(1));
  }
  u32 outside(std::string const& name, u64 value) {
    r.undefined[name] = value;
    return undefined(name);
  }
  void instruction(u64 offset, u32 insn, u32 type, u32 symbol) {
    elf::elf64_le::word32::store(data(text_section).data() + offset, insn);
    rela(text_section, offset, type, symbol, 0);
  }
  template <class A>
  verify::outcome load(verify::kernel const& k = {}) const {
    verify::outcome o;
    verify::load_linux_as<verify::verify_config<A, false, 4096, false>>(r, k, build().bytes, o);
    CHECK(o.refused == "");
    CHECK(o.complaints.empty());
    return o;
  }
};

verify::loaded_section section(verify::outcome const& o, std::string_view name) {
  for (verify::loaded_section const& s : o.sections)
    if (s.name == name)
      return s;
  return {};
}
u32 word_of(verify::loaded_section const& s, u64 offset) {
  return elf::elf64_le::word32::load(&s.bytes.at(offset));
}
u64 branch_target(verify::loaded_section const& s, u64 offset) {
  u64 const field = word_of(s, offset) & 0x3ffffff;
  return s.address + offset + (((field ^ 0x2000000) - 0x2000000) << 2);
}

} // namespace

TEST_CASE("aarch64: ADRP becomes ADR in the last two words of a page only") {
  reloc_bench<careful> c;
  reloc_bench<plain> p;
  for (u64 low : {0x000u, 0x7f8u, 0xff0u, 0xff4u}) {
    CAPTURE(low);
    CHECK(one(c, 0x40000000 + low, 0x40005123) == errc::ok);
    CHECK(c.word(24) == adrp(5, 0x40000000, 0x40005000));
  }
  for (u64 low : {0xff8u, 0xffcu})
    for (u32 type : {275u, 276u}) {
      CAPTURE(low);
      CHECK(one(c, 0x40000000 + low, 0x40005123, type) == errc::ok);
      CHECK(c.word(24) == adr(5, 0x5000 - low));
      CHECK(one(p, 0x40000000 + low, 0x40005123, type) == errc::ok);
      CHECK(p.word(24) == adrp(5, 0x40000000, 0x40005000));
    }
}

TEST_CASE("aarch64: ADR at both ends of its reach; beyond there must be a veneer") {
  reloc_bench<careful> c;
  u64 const p = 0x40000ff8;
  CHECK(one(c, p, 0x40100fff) == errc::ok); // the page is 0xff008 bytes further
  CHECK(c.word(24) == adr(5, 0xff008));
  CHECK(one(c, p, 0x40101000) == errc::reloc_no_slot);
  CHECK(one(c, p, 0x3ff01000) == errc::ok); // 0xffff8 bytes before
  CHECK(c.word(24) == adr(5, 0 - u64{0xffff8}));
  CHECK(one(c, p, 0x3ff00fff) == errc::reloc_no_slot);
}

TEST_CASE("aarch64: ADRP elsewhere has the checks that it always has") {
  reloc_bench<careful> c;
  reloc_bench<plain> p;
  for (u64 target : {u64{0x13ffff000}, u64{0x140000000}, 0 - u64{0xc0000000}, 0 - u64{0xc0000001}})
    for (u32 type : {275u, 276u}) {
      CHECK(one(c, 0x40000000, target, type) == one(p, 0x40000000, target, type));
      CHECK(c.bytes == p.bytes);
      CHECK(c.err.number[1] == p.err.number[1]);
    }
  CHECK(one(c, 0x40000000, 0x140000000) == errc::reloc_overflow);
  CHECK(one(c, 0x40000000, 0x140000000, 276) == errc::ok);
}

TEST_CASE("aarch64: veneers are counted, sections aligned, both written to the byte") {
  caller m{0x3000, 16};
  u32 const distant = m.outside("distant", far + 0x678);
  u32 const close = m.symbol("close", m.rodata(byte_vector(64)), 8);
  m.instruction(0x7f8, 0x90000001, 275, distant); // stays, if the section lies on a page
  m.instruction(0xff8, 0x90000003, 275, distant);
  m.instruction(0x1ffc, adrp_x5, 275, close);
  m.instruction(0x2ffc, 0x90000007, 276, distant);
  auto const before = m.load<plain>();
  CHECK(section(before, ".text").address == core_base + 16);
  CHECK(section(before, ".plt").size == 12);
  auto const after = m.load<careful>();
  auto const text = section(after, ".text"), plt = section(after, ".plt");
  CHECK(text.address == core_base + 0x1000);
  CHECK(plt.size == (3 + 1 + 1) * 12); // three of them, one to be left out, one to spare
  CHECK(section(after, ".init.plt").size == 12);
  CHECK(word_of(text, 0x7f8) == adrp(1, text.address, far));
  CHECK(word_of(text, 0xff8) == b(text.address + 0xff8, plt.address));
  CHECK(word_of(plt, 0) == adrp(3, plt.address, far));
  CHECK(word_of(plt, 4) == 0x91000063); // add x3, x3, #0
  CHECK(word_of(plt, 8) == b(plt.address + 8, text.address + 0xffc));
  u64 const page = section(after, ".rodata").address & ~u64{0xfff};
  CHECK(word_of(text, 0x1ffc) == adr(5, page - (text.address + 0x1ffc)));
  CHECK(word_of(text, 0x2ffc) == b(text.address + 0x2ffc, plt.address + 12));
  CHECK(word_of(plt, 12) == adrp(7, plt.address + 12, far));
  CHECK(word_of(plt, 16) == 0x910000e7);
  CHECK(word_of(plt, 20) == b(plt.address + 20, text.address + 0x3000));
  for (u64 at = 24; at < plt.size; at += 4)
    CHECK(word_of(plt, at) == 0);
}

TEST_CASE("aarch64: a veneer of init code is in the init PLT") {
  caller m{16};
  u32 const code = m.section(".init.text", elf::sht_progbits, elf::shf_alloc | elf::shf_execinstr,
                             byte_vector(0x1000), 4096);
  elf::elf64_le::word32::store(m.data(code).data() + 0xffc, adrp_x5);
  m.rela(code, 0xffc, 275, m.outside("distant", far), 0);
  auto const o = m.load<careful>();
  auto const text = section(o, ".init.text"), plt = section(o, ".init.plt");
  CHECK(section(o, ".plt").size == 12);
  REQUIRE(plt.size == (1 + 1 + 1) * 12);
  CHECK(branch_target(text, 0xffc) == plt.address);
  CHECK(word_of(plt, 0) == adrp(5, plt.address, far));
}

TEST_CASE("aarch64: a PLT entry whose ADRP would stand there is left out") {
  constexpr u32 calls = 345;
  caller m{0x1000};
  for (u32 i = 0; i < calls; ++i)
    m.instruction(u64{i} * 4, 0x94000000, 283,
                  m.outside("f" + std::to_string(i), 0xffff800041000000 + u64{i} * 64));
  for (bool is_careful : {false, true}) {
    CAPTURE(is_careful);
    auto const o = is_careful ? m.load<careful>() : m.load<plain>();
    auto const text = section(o, ".text"), plt = section(o, ".plt");
    REQUIRE(plt.address % 4096 == 0);
    CHECK(plt.size == (calls + (is_careful ? 2 : 0) + 1) * 12);
    std::set<u64> entries;
    for (u32 i = 0; i < calls; ++i) {
      u64 const entry = branch_target(text, u64{i} * 4);
      entries.insert(entry);
      CHECK(word_of(plt, entry - plt.address) == adrp(16, entry, 0xffff800041000000 + u64{i} * 64));
      CHECK(word_of(plt, entry - plt.address + 4) == (0x91000210u | (i * 64 & 0xfff) << 10));
    }
    CHECK(entries.size() == calls);
    CHECK(entries.contains(plt.address + 341 * 12) == !is_careful); // at 0xffc of the page
    CHECK(word_of(plt, 341 * 12) == (is_careful ? 0 : word_of(plt, 341 * 12)));
  }
}

TEST_CASE("aarch64: calls and veneers share the PLT; only calls of one target share an entry") {
  caller m{0x2000};
  u32 const f = m.outside("f", 0xffff800011000000); // 256 MiB away
  m.instruction(0, 0x94000000, 283, f);
  m.instruction(4, 0x94000000, 283, f);
  m.instruction(0xff8, 0x90000010, 275, f); // adrp x16, like the entry's own
  m.instruction(8, 0x14000000, 282, f);
  auto const o = m.load<careful>();
  auto const text = section(o, ".text"), plt = section(o, ".plt");
  CHECK(branch_target(text, 0) == branch_target(text, 4));
  std::set<u64> const entries = {branch_target(text, 0), branch_target(text, 8),
                                 branch_target(text, 0xff8)};
  CHECK(entries.contains(plt.address));
  u64 const veneer = branch_target(text, 0xff8) - plt.address;
  CHECK(word_of(plt, veneer) == adrp(16, plt.address + veneer, 0xffff800011000000));
  CHECK(word_of(plt, veneer + 4) == 0x91000210);
  CHECK(branch_target(plt, veneer + 8) == text.address + 0xffc);
  CHECK_FALSE(branch_target(text, 0) == branch_target(text, 0xff8));
}

TEST_CASE("aarch64: far calls of a target that has two relocation sections") {
  constexpr u32 calls = 6;
  caller m{64};
  u32 const more = m.section(".rela.more", elf::sht_rela, 0, {}, 8, 0, m.text_section,
                             sizeof(elf::elf64_le::rela));
  for (u32 i = 0; i < 2 * calls; ++i) {
    u32 const f = m.outside("f" + std::to_string(i), 0xffff800041000000 + u64{i} * 64);
    if (i < calls) {
      m.instruction(u64{i} * 4, 0x94000000, 283, f);
      continue;
    }
    elf::elf64_le::word32::store(m.data(m.text_section).data() + i * 4, 0x94000000);
    m.append_word(more, u64{i} * 4);
    m.append_word(more, u64{f} << 32 | 283);
    m.append_word(more, 0);
  }
  auto const o = m.load<plain>();
  auto const text = section(o, ".text"), plt = section(o, ".plt");
  CHECK(plt.size == (2 * calls + 1) * 12);
  // The entries stand in the order of the calls, each for its target.
  std::set<u64> entries;
  for (u32 i = 0; i < 2 * calls; ++i) {
    u64 const entry = branch_target(text, u64{i} * 4);
    entries.insert(entry);
    REQUIRE(entry - plt.address < plt.size);
    CHECK(word_of(plt, entry - plt.address) == adrp(16, entry, 0xffff800041000000 + u64{i} * 64));
    CHECK(word_of(plt, entry - plt.address + 4) == (0x91000210u | (i * 64 & 0xfff) << 10));
  }
  CHECK(entries.size() == 2 * calls);
  CHECK(*entries.rbegin() == plt.address + (2 * calls - 1) * 12);
}

TEST_CASE("aarch64: the tracer's stubs are written by module_finalize, if there is a tracer") {
  caller m{16};
  m.section(".text.ftrace_trampoline", elf::sht_progbits, elf::shf_alloc | elf::shf_execinstr,
            byte_vector(1));
  verify::kernel k{};
  auto o = m.load<plain>(k);
  auto s = section(o, ".text.ftrace_trampoline");
  CHECK(s.size == 24);
  CHECK(s.bytes == byte_vector(24));
  k.ftrace_caller = 0xffff800008012345;
  k.ftrace_regs_caller = 0xffff800007ff0010;
  o = m.load<plain>(k);
  s = section(o, ".text.ftrace_trampoline");
  CHECK(word_of(s, 0) == adrp(16, s.address, k.ftrace_caller));
  CHECK(word_of(s, 4) == (0x91000210 | 0x345 << 10));
  CHECK(word_of(s, 8) == 0xd61f0200);
  CHECK(word_of(s, 12) == adrp(16, s.address + 12, k.ftrace_regs_caller));
  CHECK(word_of(s, 16) == (0x91000210 | 0x010 << 10));
  CHECK(word_of(s, 20) == 0xd61f0200);
  // Without room for them the module is refused.
  caller without{16};
  verify::outcome refused;
  verify::load_linux_as<verify::verify_config<plain, false, 4096, false>>(
      without.r, k, without.build().bytes, refused);
  CHECK(refused.refused == "ENOEXEC: caller: the architecture refused the module (err -8)");
}

TEST_CASE("aarch64: a veneer reaches no further than the ADRP that it stands for") {
  for (u64 offset : {0xff0u, 0xff8u})
    for (u32 type : {275u, 276u}) {
      CAPTURE(offset);
      reloc_bench<careful> b;
      b.original.assign(4096, std::byte{0});
      b.place = {0x40000000};
      b.put(offset, 0x90000000);
      byte_vector plt(5 * 12);
      b.state.core = {1, 4, 0, plt.data(), {0x40001000}};
      b.add(offset, type, b.symbol(0x40000000 + (u64{40} << 30)));
      b.bytes = b.original;
      // 276 is the one that does not look whether it fits.
      CHECK(relocate<careful>(b.input(), {b.values}, b.state, b.err) ==
            (type == 275 ? errc::reloc_overflow : errc::ok));
    }
}
