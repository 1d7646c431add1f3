// SPDX-License-Identifier: MIT
// The table of debug messages goes to the host.
#include "steps/support.hpp"

namespace kmodld::test {
TEST_CASE("dynamic_debug_setup: only where there is a table; taken back in any case") {
  auto h = make_host();
  loaded(*h, base_module());
  loaded(*h, simple_module());
  CHECK(std::count(h->log.begin(), h->log.end(), "ddebug_add demo") == 0);
  CHECK(h->unload("demo"));
  CHECK(std::count(h->log.begin(), h->log.end(), "ddebug_remove demo") == 1);
  loaded(*h, full_module());
  CHECK(std::count(h->log.begin(), h->log.end(), "ddebug_add full") == 1);
}

TEST_CASE("dynamic_debug_setup: a failure is only logged") {
  auto h = make_host();
  loaded(*h, base_module());
  h->hooks.ddebug_error = e_nomem;
  loaded(*h, full_module());
  CHECK(h->diagnostics.said("error adding module: full"));
}

} // namespace kmodld::test
