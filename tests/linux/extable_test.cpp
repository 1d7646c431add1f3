// SPDX-License-Identifier: MIT
#include "fake_module.hpp"

#include <kmodld/linux/extable.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace kmodld;

namespace {

template <class Format_, extable_kind K>
struct kind {
  using Format = Format_;
  static constexpr extable_kind value = K;
  static constexpr bool has_data = K == extable_kind::relative_with_data;
};

#define KINDS                                                                                      \
  kind<elf::elf64_le, extable_kind::relative_with_data>,                                           \
      kind<elf::elf64_be, extable_kind::relative_with_data>,                                       \
      kind<elf::elf32_le, extable_kind::relative_with_data>,                                       \
      kind<elf::elf64_le, extable_kind::relative>, kind<elf::elf64_be, extable_kind::relative>,    \
      kind<elf::elf32_be, extable_kind::relative>, kind<elf::elf32_le, extable_kind::absolute>,    \
      kind<elf::elf64_be, extable_kind::absolute>

/// A table of n entries for the given addresses; fixup and data are made from the address.
template <class K>
struct table {
  using Format = typename K::Format;
  using view = exception_table<Format, K::value>;
  using entry = typename view::entry;
  using Field = decltype(entry::insn);
  test::fake_module<Format> f;
  module_table t;

  explicit table(std::vector<u64> const& insns) : f{64 + insns.size() * sizeof(entry)} {
    address at = f.reserve(insns.size() * sizeof(entry));
    t = f.table(at, static_cast<u32>(insns.size()), sizeof(entry));
    for (u64 insn : insns) {
      entry e{};
      e.insn = stored(at, insn);
      e.fixup = stored(at + sizeof(Field), insn + 3);
      if constexpr (K::has_data)
        e.data = static_cast<u32>(insn * 7);
      std::memcpy(f.host(at), &e, sizeof e);
      at = at + sizeof e;
    }
  }
  static std::conditional_t<sizeof(Field) == 4, u32, u64> stored(address at, u64 to) {
    u64 value = K::value == extable_kind::absolute ? to : to - at.value;
    return static_cast<std::conditional_t<sizeof(Field) == 4, u32, u64>>(value);
  }
  std::vector<u64> insns() {
    std::vector<u64> out;
    bool whole = true;
    view v{t};
    for (u32 i = 0; i < v.size(); ++i) {
      exception e = v[i];
      whole = whole && e.fixup == e.insn + 3 &&
              e.data == (K::has_data ? static_cast<u32>(e.insn.value * 7) : 0);
      out.push_back(e.insn.value);
    }
    CHECK(whole);
    return out;
  }
};

template <class Format>
constexpr u64 text = Format::bits == 64 ? 0xffffffffc0100000 : 0xbe000000;

} // namespace

TEST_CASE_TEMPLATE("extable: sorting keeps every entry's meaning", K, KINDS) {
  u64 const base = text<typename K::Format>;
  std::mt19937 random{1};
  for (u32 n : {0u, 1u, 2u, 3u, 7u, 8u, 9u, 100u, 1000u})
    for (int pattern = 0; pattern < 4; ++pattern) {
      CAPTURE(n);
      CAPTURE(pattern);
      std::vector<u64> insns;
      for (u32 i = 0; i < n; ++i)
        insns.push_back(base + (pattern == 0   ? u64{i}
                                : pattern == 1 ? u64{n - i}
                                : pattern == 2 ? u64{random() & 0xffff}
                                               : u64{random() & 3}));
      table<K> t{insns};
      typename table<K>::view{t.t}.sort();
      std::sort(insns.begin(), insns.end());
      CHECK(t.insns() == insns);
    }
}

TEST_CASE_TEMPLATE("extable: addresses compare unsigned and around zero", K, KINDS) {
  using word = typename K::Format::word_type;
  table<K> t{{text<typename K::Format>, static_cast<word>(text<typename K::Format> + 0x40000000),
              0x10 + text<typename K::Format>}};
  auto before = t.insns();
  typename table<K>::view{t.t}.sort();
  std::sort(before.begin(), before.end());
  CHECK(t.insns() == before);
}

TEST_CASE_TEMPLATE("extable: find needs the exact address", K, KINDS) {
  u64 const base = text<typename K::Format>;
  std::vector<u64> insns;
  for (u64 i = 0; i < 33; ++i)
    insns.push_back(base + 10 * i);
  table<K> t{insns};
  typename table<K>::view v{t.t};
  exception e;
  for (u64 insn : insns) {
    REQUIRE(v.find({insn}, e));
    CHECK(e.insn.value == insn);
    CHECK(e.fixup.value == insn + 3);
    CHECK_FALSE(v.find({insn + 1}, e));
  }
  CHECK_FALSE(v.find({base - 1}, e));
  CHECK_FALSE(v.find({0}, e));
  CHECK_FALSE(typename table<K>::view{module_table{}}.find({base}, e));
}

TEST_CASE_TEMPLATE("extable: trim drops the init part from either end", K, KINDS) {
  u64 const base = text<typename K::Format>;
  table<K> t{{base, base + 1, base + 10, base + 11, base + 20}};
  typename table<K>::view v{t.t};
  auto kept = [&](u64 from, u64 to) {
    module_table old = t.t;
    t.t = v.trim([&](address a) { return a.value >= base + from && a.value < base + to; });
    auto out = t.insns();
    t.t = old;
    for (u64& insn : out)
      insn -= base;
    return out;
  };
  CHECK(kept(0, 2) == std::vector<u64>{10, 11, 20});
  CHECK(kept(11, 30) == std::vector<u64>{0, 1, 10});
  CHECK(kept(10, 12) == std::vector<u64>{0, 1, 10, 11, 20});
  CHECK(kept(0, 30).empty());
  CHECK(kept(50, 60).size() == 5);
  CHECK(typename table<K>::view{module_table{}}.trim([](address) { return true; }).count == 0);
}

TEST_CASE("extable: a table of another kind's entries is empty") {
  table<kind<elf::elf64_le, extable_kind::relative>> t{{text<elf::elf64_le>}};
  exception_table<elf::elf64_le, extable_kind::relative_with_data> v{t.t};
  CHECK(v.size() == 0);
  v.sort();
}

TEST_CASE("extable: the data word moves unchanged and the distances are adjusted") {
  // Two x86 entries by hand: the second one's instruction is lower.
  test::fake_module<elf::elf64_le> f{64};
  address at = f.m.memories[0].memory.target;
  u32 const words[] = {100, 200, 0xaa, 50, 60, 0xbb};
  for (u64 i = 0; i < 6; ++i)
    f.store(at + 4 * i, words[i]);
  exception_table<elf::elf64_le, extable_kind::relative_with_data>{f.table(at, 2, 12)}.sort();
  u32 const sorted[] = {62, 72, 0xbb, 88, 188, 0xaa};
  for (u64 i = 0; i < 6; ++i)
    CHECK(f.load<u32>(at + 4 * i) == sorted[i]);
}
