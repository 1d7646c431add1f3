// SPDX-License-Identifier: MIT
#include "fake_module.hpp"

#include <kmodld/linux/ksymtab.hpp>

#include <doctest/doctest.h>

using namespace kmodld;

namespace {

template <class Format_, ksymtab_format F>
struct kind {
  using Format = Format_;
  static constexpr ksymtab_format format = F;
};
template <class F>
using relative = kind<F, ksymtab_format::prel32>;
template <class F>
using absolute = kind<F, ksymtab_format::absolute>;

/// Writes field `which` of entry `i` so that it points to `to`; 0 is stored as it is.
template <class K>
void point(test::fake_module<typename K::Format>& f, module_table const& t, u32 i, int which,
           address to) {
  using Field = decltype(ksymtab_entry<typename K::Format, K::format>::value);
  address at = t.target + i * t.entry_size + static_cast<u64>(which) * sizeof(Field);
  u64 stored = to && K::format == ksymtab_format::prel32 ? to - at : to.value;
  *reinterpret_cast<Field*>(f.host(at)) =
      static_cast<std::conditional_t<sizeof(Field) == 4, u32, u64>>(stored);
}

} // namespace

#define KINDS                                                                                      \
  relative<elf::elf64_le>, relative<elf::elf64_be>, relative<elf::elf32_le>,                       \
      absolute<elf::elf64_le>, absolute<elf::elf64_be>, absolute<elf::elf32_le>,                   \
      absolute<elf::elf32_be>

TEST_CASE_TEMPLATE("ksymtab: entries are decoded", K, KINDS) {
  using Format = typename K::Format;
  using view = ksymtab<Format, K::format>;
  test::fake_module<Format> f;
  address one = f.put("one"), two = f.put("two"), space = f.put("SPACE"), empty = f.put("");
  constexpr std::size_t size = sizeof(typename view::entry);
  module_table table = f.table(f.reserve(3 * size), 3, size);
  module_table crcs = f.table(f.reserve(12), 3, 4);
  f.store(crcs.target + 4, u32{0x87654321});
  address outside = f.m.memories[0].memory.target + u64(-4096);
  point<K>(f, table, 0, 0, outside);
  point<K>(f, table, 0, 1, one);
  point<K>(f, table, 1, 0, one);
  point<K>(f, table, 1, 1, two);
  point<K>(f, table, 1, 2, space);
  point<K>(f, table, 2, 0, two);
  point<K>(f, table, 2, 1, two);
  point<K>(f, table, 2, 2, empty);

  view with{f.m, table, crcs};
  view without{f.m, table, {}};
  CHECK(with.size() == 3);
  ksym s;
  REQUIRE(with.get(0, s));
  CHECK(s.name == "one");
  CHECK(s.value == outside);
  CHECK(s.name_space == "");
  CHECK(s.has_crc);
  CHECK(s.crc == 0);
  REQUIRE(with.get(1, s));
  CHECK(s.name == "two");
  CHECK(s.value == one);
  CHECK(s.name_space == "SPACE");
  CHECK(s.crc == 0x87654321);
  REQUIRE(without.get(1, s));
  CHECK_FALSE(s.has_crc);
  CHECK(s.crc == 0);
  REQUIRE(with.get(2, s));
  CHECK(s.name_space == "");
}

TEST_CASE_TEMPLATE("ksymtab: strings outside the module and short crc tables", K, KINDS) {
  using Format = typename K::Format;
  using view = ksymtab<Format, K::format>;
  test::fake_module<Format> f{256};
  address name = f.put("name");
  constexpr std::size_t size = sizeof(typename view::entry);
  module_table table = f.table(f.reserve(2 * size), 2, size);
  for (u32 i : {0u, 1u}) {
    point<K>(f, table, i, 0, name);
    point<K>(f, table, i, 1, name);
  }
  ksym s;
  CHECK(view{f.m, table, {}}.get(0, s));
  point<K>(f, table, 0, 1, f.end());
  CHECK_FALSE(view{f.m, table, {}}.get(0, s));
  point<K>(f, table, 0, 1, f.m.memories[0].memory.target + u64(-1));
  CHECK_FALSE(view{f.m, table, {}}.get(0, s));
  point<K>(f, table, 0, 1, name);
  point<K>(f, table, 0, 2, f.end());
  CHECK_FALSE(view{f.m, table, {}}.get(0, s));

  point<K>(f, table, 0, 2, {0});
  f.memory.back() = std::byte{'x'};
  point<K>(f, table, 0, 1, f.end() + u64(-1));
  CHECK_FALSE(view{f.m, table, {}}.get(0, s));

  point<K>(f, table, 0, 1, name);
  module_table crcs = f.table(f.reserve(4), 1, 4);
  CHECK(view{f.m, table, crcs}.get(0, s));
  CHECK_FALSE(view{f.m, table, crcs}.get(1, s));
  table.entry_size = size - 1;
  CHECK(view{f.m, table, {}}.size() == 0);
  CHECK(view{f.m, {}, {}}.size() == 0);
}
