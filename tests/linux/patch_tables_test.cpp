// SPDX-License-Identifier: MIT
// Tables by which code is patched: each entry's bytes as the architecture's assembler makes them,
// read, measured and sorted, in both byte orders.
#include "fake_module.hpp"

#include <kmodld/linux/patch_tables.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <tuple>
#include <vector>

using namespace kmodld;

namespace {

using le64 = elf::elf64_le;
using be64 = elf::elf64_be;
using le32 = elf::elf32_le;
using be32 = elf::elf32_be;

/// A section that is written like an assembler's: one field after the other. The memory has exactly
/// the section's size, so that the sanitiser sees reads beyond it.
template <class F>
struct assembler {
  using word_type = typename F::word_type;
  address base{F::bits == 64 ? 0xffffffffc0200104 : 0xbf000104};
  std::vector<std::byte> bytes;

  template <class T>
  assembler& put(T v) {
    bytes.resize(bytes.size() + sizeof(T));
    elf::field<T, F::order>::store(bytes.data() + bytes.size() - sizeof(T), v);
    return *this;
  }
  address here() const { return base + bytes.size(); }
  assembler& word(u64 v) { return put(static_cast<word_type>(v)); }
  assembler& long_to(u64 to) { return put(static_cast<u32>(to - here().value)); } // .long to - .
  assembler& word_to(u64 to) { return word(to - here().value); }                  // .quad to - .
  region section() { return {base, bytes.data(), bytes.size()}; }
  template <class Entry>
  table_view<F, Entry> view() {
    return table_view<F, Entry>{section()};
  }
};

template <class F>
constexpr u64 code = F::bits == 64 ? 0xffffffffc01ff000 : 0xbeffe000; ///< below the tables
template <class F>
constexpr u64 data = F::bits == 64 ? 0xffffffffc0300000 : 0xbf100000; ///< above them

} // namespace

TEST_CASE("patch tables: sizes of entries") {
  // As found in Debian's modules, see tests/parts/patch_tables.sh.
  CHECK(entry_size_of<le64, alt_instr>() == 12);
  CHECK(entry_size_of<le64, alt_instr_flags>() == 14);
  CHECK(entry_size_of<be64, alt_instr_s390>() == 11);
  CHECK(entry_size_of<le64, alt_entry>() == 16);
  CHECK(entry_size_of<le64, alt_entry_6_1>() == 36);
  CHECK(entry_size_of<le64, jump_entry>() == 16);
  CHECK(entry_size_of<le32, jump_entry>() == 12);
  CHECK(entry_size_of<le64, jump_entry_absolute>() == 24);
  CHECK(entry_size_of<be32, jump_entry_absolute>() == 12);
  CHECK(entry_size_of<le64, static_call_site>() == 8);
  CHECK(entry_size_of<le64, address_entry>() == 8);
  CHECK(entry_size_of<le32, address_entry>() == 4);
  CHECK(entry_size_of<le64, relative_site>() == 4);
  CHECK(entry_size_of<be64, relative_word_site>() == 8);
  CHECK(entry_size_of<le64, paravirt_patch_site>() == 16);
  CHECK(entry_size_of<le32, paravirt_patch_site>() == 8);
  CHECK(entry_size_of<le32, smp_alternative>() == 8);
  CHECK(entry_size_of<le64, feature_fixup>() == 48);
  CHECK(entry_size_of<le64, bug_entry>() == 12);
  CHECK(entry_size_of<le32, bug_entry_absolute>() == 12);
  CHECK(entry_size_of<le64, bug_entry_format>() == 16);
  CHECK(entry_size_of<le64, error_injection_entry>() == 16);
}

TEST_CASE_TEMPLATE("patch tables: alternatives", F, le64, be64, le32, be32) {
  assembler<F> a;
  for (u16 i = 0; i < 3; ++i)
    a.long_to(code<F> + i).long_to(data<F> + i).put(u16(0x8100 + i)).put(u8(5)).put(u8(3));
  auto const v = a.template view<alt_instr>();
  REQUIRE(v.size() == 3);
  for (u32 i = 0; i < 3; ++i) {
    CHECK(v[i].site.value == code<F> + i);
    CHECK(v[i].replacement.value == data<F> + i);
    CHECK(v[i].feature == 0x8100 + i);
    CHECK(v[i].site_size == 5);
    CHECK(v[i].replacement_size == 3);
    CHECK(v.address_of(i) == a.base + 12 * i);
  }
  a = {};
  a.long_to(code<F>).long_to(data<F>).put(u16(7)).put(u16(1)).put(u8(9)).put(u8(8));
  a.long_to(code<F> + 1).long_to(data<F> + 1).put(u16(8)).put(u16(0)).put(u8(2)).put(u8(1));
  auto const flags = a.template view<alt_instr_flags>();
  REQUIRE(flags.size() == 2);
  CHECK(flags[0].flags == 1);
  CHECK(flags[1].site.value == code<F> + 1);
  CHECK(flags[1].feature == 8);
  CHECK(flags[1].replacement_size == 1);
  a = {};
  a.long_to(code<F>).long_to(data<F>).put(u16(35)).put(u8(6));
  a.long_to(code<F> + 2).long_to(data<F> + 2).put(u16(36)).put(u8(4));
  auto const s390 = a.template view<alt_instr_s390>();
  REQUIRE(s390.size() == 2);
  CHECK(s390[1].site.value == code<F> + 2);
  CHECK(s390[1].replacement.value == data<F> + 2);
  CHECK(s390[1].feature == 36);
  CHECK(s390[1].site_size == 4);
  CHECK(s390[1].replacement_size == 4);
  a = {};
  a.long_to(code<F>).long_to(data<F>).put(u16(0x489)).put(u16(12)).put(u32(0x10003));
  auto const riscv = a.template view<alt_entry>();
  REQUIRE(riscv.size() == 1);
  CHECK(riscv[0].site.value == code<F>);
  CHECK(riscv[0].replacement.value == data<F>);
  CHECK(riscv[0].vendor == 0x489);
  CHECK(riscv[0].site_size == 12);
  CHECK(riscv[0].feature == 0x10003);
  a = {};
  for (u64 i = 0; i < 2; ++i)
    a.word(code<F> + i).word(data<F> + i).word(0x489).word(8).put(u32(3));
  auto const old = a.template view<alt_entry_6_1>();
  REQUIRE(old.size() == 2);
  CHECK(old[1].site.value == code<F> + 1);
  CHECK(old[1].replacement.value == data<F> + 1);
  CHECK(old[1].vendor == 0x489);
  CHECK(old[1].replacement_size == 8);
  CHECK(old[1].feature == 3);
}

TEST_CASE_TEMPLATE("patch tables: jump labels", F, le64, be64, le32, be32) {
  assembler<F> a;
  for (u64 flags = 0; flags < 4; ++flags)
    a.long_to(code<F> + flags).long_to(data<F> + flags).word_to(data<F> + 0x100 + flags);
  auto const v = a.template view<jump_entry>();
  REQUIRE(v.size() == 4);
  assembler<F> b;
  for (u64 flags = 0; flags < 4; ++flags)
    b.word(code<F> + flags).word(data<F> + flags).word((data<F> + 0x100) | flags);
  auto const w = b.template view<jump_entry_absolute>();
  REQUIRE(w.size() == 4);
  for (u32 i = 0; i < 4; ++i)
    for (jump_label const& j : {v[i], w[i]}) {
      CHECK(j.code.value == code<F> + i);
      CHECK(j.target.value == data<F> + i);
      CHECK(j.key.value == data<F> + 0x100);
      CHECK(j.branch == ((i & 1) != 0));
      CHECK(j.init == ((i & 2) != 0));
    }
}

TEST_CASE_TEMPLATE("patch tables: static calls, sites, bugs and what else is relative", F, le64,
                   be64, le32, be32) {
  assembler<F> a;
  a.long_to(code<F> + 0x10).long_to(data<F> + 0x21); // tail
  a.long_to(code<F> + 0x20).long_to(data<F> + 0x22); // init
  auto const calls = a.template view<static_call_site>();
  REQUIRE(calls.size() == 2);
  CHECK(calls[0].site.value == code<F> + 0x10);
  CHECK(calls[0].key.value == data<F> + 0x20);
  CHECK((calls[0].tail && !calls[0].init));
  CHECK((!calls[1].tail && calls[1].init));
  a = {};
  a.long_to(code<F>).long_to(code<F> + 9);
  CHECK(a.template view<relative_site>()[1].value == code<F> + 9);
  a = {};
  a.word_to(code<F>).word_to(code<F> + 9);
  CHECK(a.template view<relative_word_site>()[1].value == code<F> + 9);
  a = {};
  a.word(code<F>).word(code<F> + 9);
  CHECK(a.template view<address_entry>()[1].value == code<F> + 9);
  a = {};
  a.word(code<F>).put(u8(3)).put(u8(7));
  while (a.bytes.size() % (F::bits / 8) != 0)
    a.put(u8(0xcc));
  a.word(code<F> + 5).put(u8(4)).put(u8(2));
  while (a.bytes.size() % (F::bits / 8) != 0)
    a.put(u8(0xcc));
  auto const paravirt = a.template view<paravirt_patch_site>();
  REQUIRE(paravirt.size() == 2);
  CHECK(paravirt[1].instr.value == code<F> + 5);
  CHECK(paravirt[0].type == 3);
  CHECK(paravirt[0].len == 7);
  a = {};
  a.long_to(code<F>).put(u32(0xe320f000));
  CHECK(a.template view<smp_alternative>()[0].site.value == code<F>);
  CHECK(a.template view<smp_alternative>()[0].insn == 0xe320f000);
  a = {};
  a.long_to(code<F>).long_to(data<F>).put(u16(1234)).put(u16(0x905));
  a.long_to(code<F> + 1).long_to(data<F> + 1).put(u16(1)).put(u16(0));
  auto const bugs = a.template view<bug_entry>();
  REQUIRE(bugs.size() == 2);
  CHECK(bugs[0].where.value == code<F>);
  CHECK(bugs[0].file.value == data<F>);
  CHECK(bugs[0].line == 1234);
  CHECK(bugs[0].flags == 0x905);
  CHECK(bugs[1].where.value == code<F> + 1);
  a = {};
  a.long_to(code<F>).long_to(data<F> + 7).long_to(data<F>).put(u16(1234)).put(u16(1));
  CHECK(a.template view<bug_entry_format>()[0].format.value == data<F> + 7);
  CHECK(a.template view<bug_entry_format>()[0].file.value == data<F>);
  CHECK(a.template view<bug_entry_format>()[0].line == 1234);
  a = {};
  a.word(code<F>).word(data<F>).put(u16(12)).put(u16(1));
  CHECK(a.template view<bug_entry_absolute>()[0].where.value == code<F>);
  CHECK(a.template view<bug_entry_absolute>()[0].file.value == data<F>);
  CHECK(a.template view<bug_entry_absolute>()[0].line == 12);
  a = {};
  a.word(code<F>).word(2);
  CHECK(a.template view<error_injection_entry>()[0].function.value == code<F>);
  CHECK(a.template view<error_injection_entry>()[0].kind == 2);
}

TEST_CASE_TEMPLATE("patch tables: powerpc's distances begin at the entry", F, le64, be64) {
  assembler<F> a;
  for (u64 i = 0; i < 2; ++i) {
    u64 const entry = a.here().value;
    a.word(0x40 + i).word(0x40).word(code<F> + i - entry).word(code<F> + 8 + i - entry);
    a.word(data<F> + i - entry).word(data<F> + 4 + i - entry);
  }
  auto const v = a.template view<feature_fixup>();
  REQUIRE(v.size() == 2);
  for (u32 i = 0; i < 2; ++i) {
    CHECK(v[i].mask == 0x40 + i);
    CHECK(v[i].value == 0x40);
    CHECK(v[i].start.value == code<F> + i);
    CHECK(v[i].end.value == code<F> + 8 + i);
    CHECK(v[i].alt_start.value == data<F> + i);
    CHECK(v[i].alt_end.value == data<F> + 4 + i);
  }
}

TEST_CASE("patch tables: a cut entry is left out, no memory means no entries") {
  assembler<le64> a;
  for (u64 i = 0; i < 3; ++i)
    a.long_to(code<le64> + i).long_to(data<le64> + i).word_to(data<le64>);
  for (std::size_t size = 48; size-- != 0;) {
    a.bytes.resize(size);
    a.bytes.shrink_to_fit();
    auto const v = a.view<jump_entry>();
    CHECK(v.size() == size / 16);
    CHECK(v.whole() == (size % 16 == 0));
    u32 n = 0;
    for (jump_label const& j : v)
      CHECK(j.code.value == code<le64> + n++);
    CHECK(n == size / 16);
  }
  CHECK(table_view<le64, jump_entry>{region{a.base, nullptr, 64}}.empty());
  CHECK(!table_view<le64, jump_entry>{region{a.base, nullptr, 64}}.whole());
  CHECK(table_view<le64, jump_entry>{}.empty());
  CHECK(table_view<le64, jump_entry>{}.whole());
  CHECK(table_view<le64, jump_entry>{region{}}.whole());
  std::byte bytes[48]{};
  module_table const table{a.base, bytes, 3, 16};
  CHECK(table_view<le64, jump_entry>{table}.size() == 3);
  CHECK(table_view<le64, jump_entry>{table}.whole());
  CHECK(table_view<le64, static_call_site>{table}.empty()); // cut into others
  CHECK(!table_view<le64, static_call_site>{table}.whole());
  CHECK(table_view<le64, static_call_site>{module_table{}}.whole());
}

TEST_CASE_TEMPLATE("patch tables: jump labels sorted by key, then by code, stay what they are", F,
                   le64, be64, le32, be32) {
  std::mt19937 random{1};
  for (u32 n : {0u, 1u, 2u, 3u, 10u, 257u}) {
    assembler<F> a, b;
    std::vector<jump_label> expected;
    for (u32 i = 0; i < n; ++i) {
      jump_label const j{.code = {code<F> + random() % 0x1000},
                         .target = {code<F> + random() % 0x1000},
                         .key = {data<F> + 16 * (random() % 7)},
                         .branch = random() % 2 == 0,
                         .init = random() % 2 == 0};
      u64 const flags = u64{j.branch} | u64{j.init} << 1;
      a.long_to(j.code.value).long_to(j.target.value).word_to(j.key.value + flags);
      b.word(j.code.value).word(j.target.value).word(j.key.value | flags);
      expected.push_back(j);
    }
    auto const text = [](jump_label const& j) {
      return std::tuple{j.key, j.code, j.target, j.branch, j.init};
    };
    auto const all = [&](auto const& view) {
      std::vector<std::tuple<address, address, address, bool, bool>> out;
      for (jump_label const& j : view)
        out.push_back(text(j));
      return out;
    };
    auto v = a.template view<jump_entry>();
    auto w = b.template view<jump_entry_absolute>();
    for (auto const& sorted : {(v.sort(), all(v)), (w.sort(), all(w))}) {
      REQUIRE(sorted.size() == n);
      for (u32 i = 1; i < n; ++i)
        CHECK(std::tie(std::get<0>(sorted[i - 1]), std::get<1>(sorted[i - 1])) <=
              std::tie(std::get<0>(sorted[i]), std::get<1>(sorted[i])));
      auto again = sorted;
      std::sort(again.begin(), again.end());
      std::vector<std::tuple<address, address, address, bool, bool>> wanted;
      for (jump_label const& j : expected)
        wanted.push_back(text(j));
      std::sort(wanted.begin(), wanted.end());
      CHECK(again == wanted); // the same entries
    }
  }
}

TEST_CASE("patch tables: static calls by key, call sites by address; the sorted stay untouched") {
  assembler<le64> a;
  for (u64 i : {3u, 1u, 2u, 0u})
    a.long_to(code<le64> + i).long_to(data<le64> + 16 * i + (i & 1));
  auto calls = a.view<static_call_site>();
  calls.sort();
  for (u32 i = 0; i < 4; ++i) {
    CHECK(calls[i].site.value == code<le64> + i);
    CHECK(calls[i].key.value == data<le64> + 16 * i);
    CHECK(calls[i].tail == ((i & 1) != 0));
  }
  auto const before = a.bytes;
  calls.sort();
  CHECK(a.bytes == before);
  assembler<be32> b;
  for (u64 i : {5u, 0u, 9u, 1u})
    b.word(code<be32> + i);
  auto sites = b.view<address_entry>();
  sites.sort();
  CHECK(sites[0].value == code<be32>);
  CHECK(sites[3].value == code<be32> + 9);
}

TEST_CASE("patch tables: sorting takes n log n steps on any order") {
  for (int order : {0, 1, 2}) {
    assembler<le64> a;
    constexpr u64 n = 20000;
    for (u64 i = 0; i < n; ++i)
      a.word(order == 0 ? n - i : order == 1 ? (i * 7919) % n : i % 2);
    auto v = a.view<address_entry>();
    v.sort();
    for (u32 i = 1; i < n; ++i)
      REQUIRE(v[i - 1] <= v[i]);
  }
}
