// SPDX-License-Identifier: MIT
#include <kmodld/hosted/page_pool.hpp>

#include <doctest/doctest.h>

#include <random>
#include <utility>
#include <vector>

namespace {

using kmodld::hosted::page_pool;
using page = page_pool::page;

page_pool::wish anywhere(page_pool const& pool, page count, page align = 1) {
  return {count, align, 0, pool.pages()};
}

TEST_CASE("pages merge again with both neighbours, in any order of release") {
  for (std::vector<int> order :
       {std::vector{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}) {
    page_pool pool{12, 0};
    page pieces[3];
    for (page& p : pieces)
      p = pool.take(anywhere(pool, 4), 0);
    CHECK(pool.take(anywhere(pool, 1), 0) == page_pool::none);
    page_pool::extent last{};
    for (int i : order) {
      CHECK(pool.taken(pieces[i]));
      last = pool.give(pieces[i], 0);
      CHECK_FALSE(pool.taken(pieces[i]));
    }
    CHECK(last.first == 0);
    CHECK(last.count == 12);
    CHECK(pool.take(anywhere(pool, 12), 0) == 0);
  }
}

TEST_CASE("the best fit is taken") {
  page_pool pool{100, 0};
  page a = pool.take(anywhere(pool, 7), 0), x = pool.take(anywhere(pool, 1), 0);
  page b = pool.take(anywhere(pool, 5), 0), y = pool.take(anywhere(pool, 1), 0);
  page c = pool.take(anywhere(pool, 6), 0), z = pool.take(anywhere(pool, 1), 0);
  for (page p : {a, b, c})
    pool.give(p, 0);
  CHECK(pool.take(anywhere(pool, 5), 0) == b);
  CHECK(pool.take(anywhere(pool, 5), 0) == c);
  CHECK(pool.take(anywhere(pool, 7), 0) == a);
  for (page p : {x, y, z})
    CHECK(pool.taken(p));
}

TEST_CASE("windows and alignment, counted with the origin") {
  page_pool pool{64, 3};
  page p = pool.take(anywhere(pool, 4, 8), 0);
  CHECK((p + 3) % 8 == 0);
  CHECK(pool.take({4, 1, 60, 64}, 0) == 60);
  CHECK(pool.take({4, 1, 57, 60}, 0) == page_pool::none);
  CHECK(pool.take({3, 1, 57, 60}, 0) == 57);
  CHECK(pool.take({1, 64, 0, 57}, 0) == page_pool::none); // only page 61 is aligned so
  CHECK(pool.could_take({1, 1, 0, 1}));
  CHECK_FALSE(pool.could_take({1, 1, 60, 64}));
}

TEST_CASE("owners have their own free pages") {
  page_pool pool{32, 0};
  page p = pool.take(anywhere(pool, 16), 0);
  pool.give(p, 1);
  CHECK(pool.take(anywhere(pool, 17), 0) == page_pool::none);
  CHECK(pool.take(anywhere(pool, 17), 1) == page_pool::none);
  page mine = pool.take(anywhere(pool, 4), 1);
  CHECK(pool.owner(mine) == 1);
  page_pool::extent whole = pool.give(mine, 1);
  CHECK(whole.count == 16);
  pool.hand_over(whole, {whole.first, 8}, 1, 0);
  CHECK(pool.take(anywhere(pool, 9), 1) == page_pool::none);
  CHECK(pool.take(anywhere(pool, 8), 1) != page_pool::none);
  CHECK(pool.take(anywhere(pool, 24), 0) == page_pool::none); // not adjacent, or
  CHECK(pool.take(anywhere(pool, 8), 0) != page_pool::none);
}

TEST_CASE("random use: no overlap, and everything merges in the end") {
  constexpr page pages = 4096;
  page_pool pool{pages, 5};
  std::vector<int> owner_of(pages, -1);
  struct piece {
    page first, count;
    unsigned owner;
  };
  std::vector<piece> live;
  std::mt19937 random{7};
  std::size_t wrong = 0;
  for (int i = 0; i < 100000; ++i) {
    if (random() % 2 || live.empty()) {
      page count = static_cast<page>(1 + random() % 40), align = page{1} << random() % 4;
      unsigned owner = 0;
      page p = pool.take(anywhere(pool, count, align), owner);
      if (p == page_pool::none)
        continue;
      wrong += (p + 5) % align != 0 || pool.count(p) != count;
      for (page q = p; q < p + count; ++q)
        wrong += std::exchange(owner_of[q], 1) != -1;
      live.push_back({p, count, owner});
    } else {
      std::swap(live[random() % live.size()], live.back());
      for (page q = live.back().first; q < live.back().first + live.back().count; ++q)
        owner_of[q] = -1;
      pool.give(live.back().first, 0);
      live.pop_back();
    }
  }
  CHECK(wrong == 0);
  for (piece const& p : live)
    pool.give(p.first, 0);
  CHECK(pool.take(anywhere(pool, pages), 0) == 0);
}

} // namespace
