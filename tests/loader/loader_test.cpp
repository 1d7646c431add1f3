// SPDX-License-Identifier: MIT
// loader<Config>: references, find, unloading, and what happens at its end.
#include "loader/fixture.hpp"

#include <doctest/doctest.h>

namespace kmodld::test {

TEST_CASE("module_ref counts, moves and is null afterwards") {
  auto h = make_host();
  auto loaded = h->load(simple_module());
  REQUIRE(loaded);
  module_ref a = std::move(*loaded);
  CHECK(!*loaded);
  CHECK(a->refcnt == 2);
  module_ref b = h->find("demo");
  CHECK(a->refcnt == 3);
  b = std::move(a);
  CHECK(!a);
  CHECK(b->refcnt == 2);
  module_ref& same = b;
  b = std::move(same);
  CHECK(b);
  b.reset();
  CHECK(!b);
  CHECK(h->modules().begin()->refcnt == 1);
  CHECK(!module_ref{nullptr});
}

TEST_CASE("find needs the whole name and a module that is not being formed") {
  auto h = make_host();
  REQUIRE(h->load(simple_module()));
  CHECK(h->find("demo"));
  CHECK(!h->find("dem"));
  CHECK(!h->find(""));
}

TEST_CASE("an unload by force does not ask for references") {
  auto h = make_host();
  REQUIRE(h->load(simple_module()));
  h->modules().begin()->refcnt.fetch_add(1);
  CHECK(code_of(h->unload("demo")) == errc::unload_in_use);
  CHECK(h->unload("demo", {.force = true}));
  CHECK((h->taints() & taint_forced_rmmod) != 0);
  CHECK(h->clean());
}

TEST_CASE("the loader's end unloads users before what they use") {
  auto h = make_host();
  REQUIRE(h->load(base_module()));
  REQUIRE(h->load(full_module()));
  builder permanent{"permanent"};
  permanent.init(permanent.text(bytes_of({0xc3})), 0);
  REQUIRE(h->load(permanent.build()));
  h->log.clear();
  h->end();
  CHECK(h->clean());
  event_log exits;
  for (auto const& e : h->log)
    if (starts_with(e, "exit") || starts_with(e, "trace_free"))
      exits.push_back(e);
  CHECK(exits == event_log{"exit full", "trace_free full", "exit base", "trace_free base",
                           "trace_free permanent"});
}

TEST_CASE("kernel.modules_disabled keeps users out; the loader's end still frees") {
  auto h = make_host();
  REQUIRE(h->load(simple_module()));
  h->settings().modules_disabled = true;
  CHECK(code_of(h->unload("demo")) == errc::not_permitted);
  h->end();
  CHECK(h->clean());
}

TEST_CASE("a used module is held by its user") {
  auto h = make_host();
  REQUIRE(h->load(base_module()));
  REQUIRE(h->load(full_module()));
  CHECK(h->find("base")->source_list->user == h->find("full").get());
  CHECK(h->unload("full"));
  CHECK(h->find("base")->source_list == nullptr);
}

} // namespace kmodld::test
