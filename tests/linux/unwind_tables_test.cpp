// SPDX-License-Identifier: MIT
// ORC tables, sorted together and searched, and the exception index of Arm.
#include "fake_module.hpp"

#include <kmodld/linux/unwind_tables.hpp>

#include <doctest/doctest.h>

using namespace kmodld;
using F = elf::elf64_le;

namespace {

/// .orc_unwind_ip and .orc_unwind, in memory of exactly their sizes.
struct orc {
  std::vector<std::byte> ips, frames;
  address ip_base{0xffffffffc0100000}, frame_base{0xffffffffc0180000};

  void add(u64 ip, i16 sp, u16 bits) {
    ips.resize(ips.size() + 4);
    F::word32::store(&ips[ips.size() - 4], static_cast<u32>(ip - (ip_base.value + ips.size() - 4)));
    frames.resize(frames.size() + 6);
    std::byte* const f = &frames[frames.size() - 6];
    F::half::store(f, static_cast<u16>(sp));
    F::half::store(f + 2, static_cast<u16>(-sp));
    F::half::store(f + 4, bits);
  }
  template <class Entry = orc_entry>
  orc_table<F, Entry> table() {
    return {{ip_base, ips.data(), ips.size()}, {frame_base, frames.data(), frames.size()}};
  }
};

constexpr u64 text = 0xffffffffc0001000;

} // namespace

TEST_CASE("unwind tables: fields of ORC entries") {
  orc o;
  o.add(text, -8, 5 | 4 << 4 | 2 << 8 | 1 << 11);
  orc_frame const now = o.table<orc_entry>()[0];
  CHECK(o.table().ip(0).value == text);
  CHECK(now.sp_offset == -8);
  CHECK(now.bp_offset == 8);
  CHECK(now.sp_reg == 5);
  CHECK(now.bp_reg == 4);
  CHECK(now.type == 2);
  CHECK(now.signal);
  CHECK_FALSE(now.undefined);
  CHECK_FALSE(now.end);
  orc_frame const old = o.table<orc_entry_6_1>()[0]; // two bits of type, then the end
  CHECK(old.type == 2);
  CHECK_FALSE(old.end);
  CHECK_FALSE(old.undefined);
  o.add(text, 0, 0);
  o.add(text, 0, 1 << 8);
  o.add(text, 0, 1 << 10);
  CHECK(o.table<orc_entry>()[1].undefined);
  CHECK(o.table<orc_entry>()[2].end);
  CHECK(o.table<orc_entry_6_1>()[1].undefined);
  CHECK(o.table<orc_entry_6_1>()[3].end);
  CHECK_FALSE(o.table<orc_entry_6_1>()[3].undefined);
  // loongarch64: eight bytes.
  std::vector<std::byte> bytes(8);
  F::half::store(&bytes[0], 16);
  F::half::store(&bytes[2], static_cast<u16>(-16));
  F::half::store(&bytes[4], static_cast<u16>(-8));
  F::half::store(&bytes[6], 2 | 3 << 4 | 1 << 8 | 3 << 12 | 1 << 15);
  o.ips.resize(4);
  orc_table<F, orc_entry_loongarch> const loong{{o.ip_base, o.ips.data(), 4},
                                                {o.frame_base, bytes.data(), 8}};
  REQUIRE(loong.size() == 1);
  CHECK(loong[0].sp_offset == 16);
  CHECK(loong[0].bp_offset == -16);
  CHECK(loong[0].ra_offset == -8);
  CHECK(loong[0].sp_reg == 2);
  CHECK(loong[0].bp_reg == 3);
  CHECK(loong[0].ra_reg == 1);
  CHECK(loong[0].type == 3);
  CHECK(loong[0].signal);
}

TEST_CASE("unwind tables: ORC is sorted by address, both tables alike, and searched") {
  orc o;
  constexpr u32 n = 100;
  for (u32 i = 0; i < n; ++i) {
    u32 const k = (i * 37) % n;
    o.add(text + k * 16, static_cast<i16>(k), 5 | 2 << 8);
  }
  auto table = o.table();
  REQUIRE(table.size() == n);
  table.sort();
  for (u32 i = 0; i < n; ++i) {
    CHECK(table.ip(i).value == text + i * 16);
    CHECK(table[i].sp_offset == i);
  }
  orc_frame found;
  CHECK_FALSE(table.find({text - 1}, found));
  for (u32 i = 0; i < n; ++i)
    for (u64 in : {0u, 1u, 15u}) {
      REQUIRE(table.find({text + i * 16 + in}, found));
      CHECK(found.sp_offset == i);
    }
  CHECK(table.find({~u64{0}}, found));
  CHECK(found.sp_offset == n - 1);
}

TEST_CASE("unwind tables: of two ORC entries for one address the end of a section stands first") {
  for (bool first : {true, false}) {
    orc o;
    o.add(text + 64, 1, 5 | 2 << 8);
    o.add(text + 32, first ? 0 : 2, first ? 0 : 5 | 2 << 8);
    o.add(text + 32, first ? 2 : 0, first ? 5 | 2 << 8 : 0);
    auto table = o.table();
    table.sort();
    CHECK(table[0].undefined);
    CHECK(table[1].sp_offset == 2);
    orc_frame found;
    REQUIRE(table.find({text + 32}, found));
    CHECK(found.sp_offset == 2);
  }
}

TEST_CASE("unwind tables: ORC tables that do not fit each other have no entries") {
  orc o;
  for (u32 i = 0; i < 3; ++i)
    o.add(text + i, 1, 5 | 2 << 8);
  auto const size = [&](u64 ips, u64 frames) {
    return orc_table<F, orc_entry>{{o.ip_base, o.ips.data(), ips},
                                   {o.frame_base, o.frames.data(), frames}}
        .size();
  };
  CHECK(size(12, 18) == 3);
  CHECK(size(12, 12) == 0);
  CHECK(size(8, 18) == 0);
  CHECK(size(12, 17) == 0);
  CHECK(size(11, 18) == 0);
  CHECK(size(0, 0) == 0);
  CHECK(orc_table<F, orc_entry>{{}, {o.frame_base, o.frames.data(), 18}}.size() == 0);
}

TEST_CASE_TEMPLATE("unwind tables: .ARM.exidx", A, elf::elf32_le, elf::elf32_be) {
  constexpr u32 base = 0xbf004000;
  std::vector<std::byte> bytes;
  auto const put = [&](u32 v) {
    bytes.resize(bytes.size() + 4);
    A::word32::store(&bytes[bytes.size() - 4], v);
  };
  auto const prel31 = [&](u32 to) {
    put((to - (base + static_cast<u32>(bytes.size()))) & 0x7fffffff);
  };
  prel31(0xbf000000); // before the table
  put(1);
  prel31(0xbf000010);
  put(0x80a8b0b0);
  prel31(0xbf008000); // behind it
  prel31(0xbf003ff0);
  put(0); // and a cut one
  table_view<A, exidx_entry> const v{region{{base}, bytes.data(), bytes.size()}};
  REQUIRE(v.size() == 3);
  CHECK(v[0].function.value == 0xbf000000);
  CHECK(v[0].kind == exidx_entry::form::cantunwind);
  CHECK(v[1].function.value == 0xbf000010);
  CHECK(v[1].kind == exidx_entry::form::inlined);
  CHECK(v[1].bytes == 0x80a8b0b0);
  CHECK(v[2].function.value == 0xbf008000);
  CHECK(v[2].kind == exidx_entry::form::table);
  CHECK(v[2].table.value == 0xbf003ff0);
}

TEST_CASE("unwind tables: the text of an index, by name") {
  CHECK(exidx_text(".ARM.exidx") == ".text");
  CHECK(exidx_text(".ARM.exidx.init.text") == ".init.text");
  CHECK(exidx_text(".ARM.exidx.text.unlikely") == ".text.unlikely");
}
