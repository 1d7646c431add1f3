// SPDX-License-Identifier: MIT
// The second list: everything is given back, and the name stays reserved until the end.
#include "steps/support.hpp"

namespace kmodld::test {
TEST_CASE("free_module: the name is taken until memory is given back") {
  auto h = make_host();
  errc answer = errc::ok;
  loaded(*h, simple_module());
  // What runs when the state is UNFORMED: the hook that removes debug tables.
  h->lock.on_wait = [] { return wait_status::timed_out; };
  bool hidden = false;
  h->hooks.on_ddebug_remove = [&](module& m) {
    hidden = m.state == module_state::unformed && !h->find("demo");
    h->hooks.on_ddebug_remove = nullptr;
    answer = code_of(h->load(simple_module()));
  };
  CHECK(h->unload("demo"));
  CHECK(hidden);
  CHECK(answer == errc::module_busy);
  CHECK(h->clean());
  loaded(*h, simple_module());
}

TEST_CASE("free_module: exports are gone before the memory that they point into") {
  auto h = make_host();
  loaded(*h, exporting_module("demo", "f"));
  bool gone = false;
  h->hooks.on_ddebug_remove = [&](module&) { gone = !h->symbols.table.contains("f"); };
  CHECK(h->unload("demo"));
  CHECK(gone);
}

} // namespace kmodld::test
