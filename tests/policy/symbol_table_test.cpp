// SPDX-License-Identifier: MIT
#include <kmodld/policy/symbol_table.hpp>

#include <kmodld/hosted/counting_allocator.hpp>
#include <kmodld/module.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace kmodld;

struct c_heap {
  memory_status allocate(memory_request const& r, region& out) noexcept {
    CHECK(r.kind == memory_kind::record);
    auto size = static_cast<std::size_t>(round_up(r.size, r.align));
    void* p = std::aligned_alloc(static_cast<std::size_t>(r.align), size);
    std::memset(p, 0, size);
    out = {{0}, static_cast<std::byte*>(p), r.size};
    return memory_status::ok;
  }
  void release(memory_kind, region r) noexcept { std::free(r.host); }
};
using counted_heap = hosted::counting_allocator<c_heap>;
static_assert(prefetching_resolver<symbol_table<c_heap>>);

/// A reclaimer that only counts, and proves who calls it when.
struct counting_reclaimer {
  bool* locked = nullptr;
  int grace_periods = 0;
  void read_enter() noexcept {}
  void read_leave() noexcept {}
  void synchronize() noexcept {
    ++grace_periods;
    if (locked != nullptr)
      CHECK_FALSE(*locked);
  }
};
struct flag_lock : no_lock {
  bool held = false;
  void lock() noexcept {
    CHECK_FALSE(held);
    held = true;
  }
  void unlock() noexcept {
    CHECK(held);
    held = false;
  }
};

exported_symbol symbol(u64 value, module* owner = nullptr, bool gpl_only = false) {
  exported_symbol s;
  s.value = {value};
  s.owner = owner;
  s.gpl_only = gpl_only;
  return s;
}

/// The value found, or 0.
template <class T>
u64 found(T const& table, std::string_view name, bool gpl_ok = true) {
  exported_symbol s;
  table.prefetch(name); // changes nothing, whatever is in the table
  return table.find(name, gpl_ok, s) ? s.value.value : 0;
}

struct fixture {
  c_heap heap;
  counted_heap memory{heap};
  symbol_table<counted_heap> table{memory};
  module a, b;
};

TEST_CASE_FIXTURE(fixture, "an empty table finds nothing and holds no memory") {
  CHECK(found(table, "printk") == 0);
  CHECK(found(table, "") == 0);
  symbol_query q{.name = "printk", .symbol = {}, .gpl_ok = true, .found = true};
  table.find_batch(&q, 1);
  CHECK_FALSE(q.found);
  table.remove("printk", a);
  CHECK(table.bounds().empty());
  CHECK(memory.requests() == 0);
}

TEST_CASE_FIXTURE(fixture, "everything that was exported comes back") {
  exported_symbol s = symbol(0x1000, &a, true);
  s.crc = 0xdeadbeef;
  s.has_crc = true;
  s.name_space = "USB";
  CHECK(table.add("usb_submit_urb", s));
  exported_symbol out;
  REQUIRE(table.find("usb_submit_urb", true, out));
  CHECK(out.value == address{0x1000});
  CHECK(out.owner == &a);
  CHECK(out.name_space == "USB");
  CHECK(out.crc == 0xdeadbeef);
  CHECK(out.has_crc);
  CHECK(out.gpl_only);
  CHECK_FALSE(table.find("usb_submit_urb", false, out));
  CHECK_FALSE(table.find("usb_submit_ur", true, out));
  CHECK_FALSE(table.find("usb_submit_urb2", true, out));
}

TEST_CASE_FIXTURE(fixture, "the oldest visible export of a name wins") {
  CHECK(table.add("f", symbol(1, &a, true)));
  CHECK(table.add("f", symbol(2, &b)));
  CHECK(table.add("f", symbol(3)));
  CHECK(found(table, "f", true) == 1);
  CHECK(found(table, "f", false) == 2);
  table.remove("f", b);
  CHECK(found(table, "f", false) == 3);
  table.remove("f", a);
  CHECK(found(table, "f", true) == 3);
  table.remove("f", a); // nothing of this owner's is left
  CHECK(found(table, "f", true) == 3);
  table.remove("f");
  CHECK(found(table, "f", true) == 0);
  CHECK(table.names() == 0);
}

TEST_CASE_FIXTURE(fixture, "one owner's second export of a name counts only where it can be seen") {
  CHECK(table.add("f", symbol(1, &a, true)));
  CHECK(table.add("f", symbol(2, &a)));
  CHECK(found(table, "f", true) == 1);
  CHECK(found(table, "f", false) == 2);
  table.remove("f", a);
  CHECK(found(table, "f") == 0);

  table.add("g", symbol(1, &a));
  u64 before = memory.requests();
  for (u64 i = 2; i < 10000; ++i)
    CHECK(table.add("g", symbol(i, &a, i % 2 == 0)));
  CHECK(memory.requests() == before);
  CHECK(found(table, "g", false) == 1);
}

TEST_CASE_FIXTURE(fixture, "names of every length and any bytes are told apart") {
  std::vector<std::string> names{std::string{}};
  for (std::size_t length = 1; length < 70; ++length)
    for (std::size_t at = 0; at < length; ++at)
      for (char c : {'\0', 'a', '\xff'}) {
        std::string s(length, 'x');
        s[at] = c;
        names.push_back(s);
      }
  for (std::size_t i = 0; i < names.size(); ++i)
    CHECK(table.add(names[i], symbol(i + 1)));
  CHECK(table.names() == names.size());
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < names.size(); ++i)
    wrong += found(table, std::string{names[i]}) != i + 1;
  CHECK(wrong == 0);
}

TEST_CASE_FIXTURE(fixture, "a batch answers like single lookups") {
  std::vector<std::string> names;
  for (int i = 0; i < 1000; ++i)
    names.push_back("symbol_" + std::to_string(i));
  for (std::size_t i = 0; i < names.size(); i += 2)
    table.add(names[i], symbol(i + 1, nullptr, i % 4 == 0));
  for (std::size_t count : {0u, 1u, 31u, 32u, 33u, 1000u}) {
    std::vector<symbol_query> queries(count);
    for (std::size_t i = 0; i < count; ++i)
      queries[i] = {names[i], {}, i % 3 == 0, i % 5 == 0};
    table.find_batch(queries.data(), count);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < count; ++i) {
      u64 expected = found(table, names[i], i % 3 == 0);
      wrong += queries[i].found != (expected != 0) ||
               (expected != 0 && queries[i].symbol.value.value != expected);
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("bounds cover the host's exports inside their window") {
  c_heap heap;
  symbol_table table{heap, {.bounded_by = {{0x1000}, {0xffff}}}};
  module a;
  CHECK(table.bounds().empty());
  table.add("x", symbol(0x8000));
  CHECK(table.bounds().first == address{0x8000});
  CHECK(table.bounds().last == address{0x8000});
  table.add("low", symbol(0x2000));
  table.add("high", symbol(0x9000));
  table.add("percpu", symbol(0x10));          // outside: an offset, not an address
  table.add("of_module", symbol(0xf000, &a)); // not the host's
  CHECK(table.bounds().first == address{0x2000});
  CHECK(table.bounds().last == address{0x9000});
  CHECK(found(table, "percpu") == 0x10);
}

TEST_CASE("random changes against a map; churn keeps the table small") {
  c_heap heap;
  counted_heap memory{heap};
  {
    symbol_table<counted_heap> table{memory};
    std::vector<module> owners(4);
    std::vector<std::string> names;
    for (int i = 0; i < 3000; ++i)
      names.push_back("n" + std::to_string(i * 7919));
    std::map<std::string, std::vector<exported_symbol>> model;
    std::mt19937 random{1};
    std::size_t wrong = 0, largest = 0;
    for (u64 i = 1; i < 200000; ++i) {
      std::string const& name = names[random() % names.size()];
      module& owner = owners[random() % owners.size()];
      auto& list = model[name];
      if (random() % 2) {
        exported_symbol s = symbol(i, &owner, random() % 2);
        bool hidden = false;
        for (auto const& x : list)
          hidden = hidden || (x.owner == s.owner && x.gpl_only <= s.gpl_only);
        if (!hidden)
          list.push_back(s);
        wrong += !table.add(name, s);
      } else {
        table.remove(name, owner);
        std::erase_if(list, [&](auto const& x) { return x.owner == &owner; });
      }
      bool gpl_ok = random() % 2;
      u64 expected = 0;
      for (auto const& x : list)
        if (expected == 0 && (gpl_ok || !x.gpl_only))
          expected = x.value.value;
      wrong += found(table, name, gpl_ok) != expected;
      largest = std::max(largest, table.capacity());
    }
    CHECK(wrong == 0);
    CHECK(largest <= 8192);
    // A million changes of few names at a time neither grow the table nor leak entries.
    for (auto const& name : names)
      for (module& owner : owners)
        table.remove(name, owner);
    CHECK(table.names() == 0);
    u64 before = memory.live_bytes(memory_kind::record);
    for (u64 i = 0; i < 1000000; ++i) {
      wrong += !table.add(names[i % names.size()], symbol(i, &owners[0]));
      if (i >= 10)
        table.remove(names[(i - 10) % names.size()], owners[0]);
    }
    CHECK(wrong == 0);
    CHECK(table.names() == 10);
    CHECK(memory.live_bytes(memory_kind::record) <= before);
  }
  CHECK(memory.live_regions() == 0);
  CHECK(memory.mistakes() == 0);
}

TEST_CASE("without memory add fails and changes nothing") {
  c_heap heap;
  counted_heap memory{heap};
  symbol_table<counted_heap> table{memory};
  memory.fail_at(1); // the array
  CHECK_FALSE(table.add("x", symbol(1)));
  memory.fail_at(2); // the entries
  CHECK_FALSE(table.add("x", symbol(1)));
  CHECK(found(table, "x") == 0);
  CHECK(table.names() == 0);
  CHECK(table.add("x", symbol(1)));
  std::vector<std::string> names;
  for (int i = 0; i < 500; ++i)
    names.push_back(std::to_string(i));
  u64 refused = 0;
  for (u64 i = 0; i < names.size(); ++i) {
    memory.fail_at(1);
    if (!table.add(names[i], symbol(i + 2))) {
      ++refused;
      CHECK(found(table, names[i]) == 0);
      CHECK(table.add(names[i], symbol(i + 2)));
    }
    memory.fail_at(0);
  }
  CHECK(refused > 5);
  for (u64 i = 0; i < names.size(); ++i)
    CHECK(found(table, names[i]) == i + 2);
}

TEST_CASE_FIXTURE(fixture, "reserve makes the next additions free of allocation") {
  std::vector<std::string> names;
  for (int i = 0; i < 1000; ++i)
    names.push_back(std::to_string(i));
  CHECK(table.reserve(names.size()));
  u64 before = memory.requests();
  CHECK(before == 2);
  for (u64 i = 0; i < names.size(); ++i)
    CHECK(table.add(names[i], symbol(i)));
  CHECK(memory.requests() == before);
  CHECK_FALSE(table.reserve(table.max_names + 1));
  CHECK_FALSE(table.reserve(~std::size_t{0}));
  CHECK(memory.requests() == before);
}

TEST_CASE("with a reclaimer nothing is used again before collect, which waits without the lock") {
  c_heap heap;
  counted_heap memory{heap};
  flag_lock lock;
  counting_reclaimer reclaimer{&lock.held};
  {
    symbol_table<counted_heap, counting_reclaimer> table{memory, reclaimer};
    table.collect(lock);
    CHECK(reclaimer.grace_periods == 0); // nothing to wait for
    std::vector<std::string> names;
    for (int i = 0; i < 300; ++i)
      names.push_back(std::to_string(i));
    for (auto const& n : names)
      table.add(n, symbol(1));
    auto released = [&] {
      u64 n = 0;
      for (auto const& e : memory.trace())
        n += e.what == counted_heap::action::released;
      return n;
    };
    CHECK(released() == 0);
    table.collect(lock);
    CHECK(reclaimer.grace_periods == 1);
    CHECK(released() == 4); // arrays of 64, 128, 256 and 512 slots were outgrown
    u64 bytes = memory.live_bytes(memory_kind::record);
    for (int round = 0; round < 20; ++round) {
      for (auto const& n : names)
        table.remove(n);
      CHECK(found(table, names[0]) == 0);
      table.collect(lock);
      for (auto const& n : names)
        CHECK(table.add(n, symbol(2)));
      table.collect(lock);
    }
    CHECK(memory.live_bytes(memory_kind::record) <= bytes + 4096);
    for (auto const& n : names)
      CHECK(found(table, n) == 2);
    for (auto const& n : names)
      table.remove(n);
  }
  CHECK(memory.live_regions() == 0);
  CHECK(memory.mistakes() == 0);
}

TEST_CASE("both ways of multiplying agree, and the seed matters") {
  std::mt19937_64 random{3};
  for (u64 edge : {u64{0}, u64{1}, u64{0xffffffff}, u64{1} << 32, ~u64{0}})
    for (u64 other : {u64{0}, u64{1}, u64{0xffffffff}, u64{1} << 63, ~u64{0}})
      CHECK(name_hash::fold(edge, other) == name_hash::fold_by_halves(edge, other));
  for (int i = 0; i < 10000; ++i) {
    u64 x = random(), y = random();
    REQUIRE(name_hash::fold(x, y) == name_hash::fold_by_halves(x, y));
  }
  CHECK(name_hash{1}("printk") != name_hash{2}("printk"));
  CHECK(name_hash{1}("printk") == name_hash{1}("printk"));
}

TEST_CASE("the low bits of the hash spread like chance for names that differ little") {
  // 2^14 names into 2^14 buckets: an ideal hash leaves 1/e of them empty.
  name_hash hash{42};
  for (char const* form : {"a%d", "sys_call_number_%d", "%08x_a_rather_long_suffix_behind_it"}) {
    std::vector<int> buckets(1 << 14);
    for (int i = 0; i < 1 << 14; ++i) {
      char name[64];
      int n = std::snprintf(name, sizeof name, form, i);
      ++buckets[hash({name, static_cast<std::size_t>(n)}) & ((1 << 14) - 1)];
    }
    auto empty = std::count(buckets.begin(), buckets.end(), 0);
    CHECK(empty > 5700);
    CHECK(empty < 6350);
    CHECK(*std::max_element(buckets.begin(), buckets.end()) < 12);
  }
}

} // namespace
