// SPDX-License-Identifier: MIT
// Memory of modules that come and go for long: it is used again, whole, and as if it were new.
#include "hosted/module_churn.hpp"

#include <kmodld/hosted/mprotect.hpp>

#include <doctest/doctest.h>

namespace {

using namespace kmodld;
using hosted::arena;
using hosted::mprotect_protector;
using churn = test::module_churn<arena, mprotect_protector>;

constexpr u64 mib = u64{1} << 20;

/// Pages of the arena whose permissions, as the system says, are other than the map of `c` has
/// them. Free ones may be anything but executable.
u64 wrong_permissions(arena const& a, churn const& c) {
  std::FILE* maps = std::fopen("/proc/self/maps", "r");
  REQUIRE(maps != nullptr);
  std::vector<churn::page> seen(c.pages().size());
  char line[512], text[8];
  u64 first, end;
  u64 const base = a.range().target.value, last = base + a.range().size;
  while (std::fgets(line, sizeof line, maps) != nullptr) {
    if (std::sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &first, &end, text) != 3)
      continue;
    for (u64 p = std::max(first, base); p < std::min(end, last); p += a.page_size())
      seen[(p - base) / a.page_size()] = text[2] == 'x'   ? churn::page::read_execute
                                         : text[1] == 'w' ? churn::page::read_write
                                         : text[0] == 'r' ? churn::page::read
                                                          : churn::page::free;
  }
  std::fclose(maps);
  u64 wrong = 0;
  for (std::size_t i = 0; i < seen.size(); ++i)
    wrong += c.pages()[i] == churn::page::free ? seen[i] == churn::page::read_execute
                                               : seen[i] != c.pages()[i];
  return wrong;
}

TEST_CASE("100,000 random loads and unloads do not wear the arena out") {
  arena a{{.size = 384 * mib}};
  REQUIRE(a.valid());
  mprotect_protector protector{a};
  churn c{a, protector, a.range(), a.page_size()};
  u64 wrong = 0, holes = 0, early_holes = 0;
  for (int i = 1; i <= 100000; ++i) {
    c.step();
    if (i % 5000 != 0)
      continue;
    wrong += wrong_permissions(a, c);
    holes = std::max(holes, c.holes());
    if (i == 20000) // the first rise and fall
      early_holes = holes;
  }
  CHECK(c.loads() > 45000);
  CHECK(c.refused() == 0);
  CHECK(c.mistakes() == 0);
  CHECK(wrong == 0);
  // Of the range no more was ever touched than 1.75 times what modules had at once, in chunks of
  // nine kinds; and what is free lies in no more pieces than after the first of five rounds, or
  // nearly.
  CHECK(c.highest_page() * 4 < c.most_used_pages() * 7);
  CHECK(holes * 4 < early_holes * 5);
  CHECK(a.in_use() == c.used_pages() * a.page_size());
  c.unload_all();
  CHECK(c.mistakes() == 0);
  CHECK(wrong_permissions(a, c) == 0);
  CHECK(a.in_use() == 0);
  // As in the beginning: one piece.
  region all;
  REQUIRE(a.allocate({memory_kind::text, a.range().size, 1, {}, false}, all) == memory_status::ok);
  a.release(memory_kind::text, all);
}

} // namespace
