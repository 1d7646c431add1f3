// SPDX-License-Identifier: MIT
#include <kmodld/policy/symbol_chain.hpp>

#include <kmodld/hosted/arena.hpp>
#include <kmodld/hosted/dlsym_resolver.hpp>
#include <kmodld/policy/symbol_table.hpp>

#include <doctest/doctest.h>

namespace {

using namespace kmodld;
using table = symbol_table<hosted::arena>;

/// Answers one name.
struct one_name {
  std::string_view known;
  u64 value;
  unsigned asked = 0;
  bool find(std::string_view name, bool, exported_symbol& out) noexcept {
    ++asked;
    out = {};
    out.value = {value};
    return name == known;
  }
};

TEST_CASE("symbol_chain asks the second part for what the first does not have") {
  one_name a{"a", 1}, b{"b", 2};
  symbol_chain<one_name&, one_name&> both{a, b};
  exported_symbol out;
  REQUIRE(both.find("a", true, out));
  CHECK(out.value.value == 1);
  CHECK(b.asked == 0);
  REQUIRE(both.find("b", true, out));
  CHECK(out.value.value == 2);
  CHECK_FALSE(both.find("c", true, out));
  using plain_chain = symbol_chain<one_name&, one_name&>;
  CHECK(symbol_resolver_policy<plain_chain>);
  CHECK_FALSE(export_registry<plain_chain>);
  CHECK_FALSE(batch_resolver<plain_chain>);
  CHECK_FALSE(bounded_resolver<plain_chain>);
}

TEST_CASE("symbol_chain has what its first part has") {
  using chain = symbol_chain<table&, hosted::dlsym_resolver>;
  CHECK(export_registry<chain>);
  CHECK(batch_resolver<chain>);
  CHECK(prefetching_resolver<chain>);
  CHECK(bounded_resolver<chain>);
  CHECK_FALSE(reader_batch_resolver<chain>); // without a reclaimer the table has no readers
  hosted::arena memory{{.size = u64{1} << 20}};
  table exports{memory};
  exports.add("mine", {.value = {3}});
  chain both{exports};
  symbol_query queries[] = {{.name = "mine"}, {.name = "getenv"}, {.name = "nobody_has_this"}};
  both.find_batch(queries, std::size(queries));
  CHECK(queries[0].found);
  CHECK(queries[0].symbol.value.value == 3);
  CHECK(queries[1].found);
  CHECK_FALSE(queries[2].found);
  CHECK(both.bounds().first.value == exports.bounds().first.value);
}

} // namespace
