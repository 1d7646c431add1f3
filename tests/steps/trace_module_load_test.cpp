// SPDX-License-Identifier: MIT
// The trace event of a load.
#include "steps/support.hpp"

namespace kmodld::test {
TEST_CASE("trace_module_load: once, before init, not for a load that fails earlier") {
  auto h = make_host();
  loaded(*h, simple_module());
  auto at = [&](char const* event) {
    return std::find(h->log.begin(), h->log.end(), event) - h->log.begin();
  };
  CHECK(at("trace_load demo") < at("init demo"));
  CHECK(std::count(h->log.begin(), h->log.end(), "trace_load demo") == 1);
  h->introspection.fail_part = sysfs_part::object;
  h->introspection.fail_with = e_nodev;
  CHECK(!h->load(simple_module("second")));
  CHECK(std::count(h->log.begin(), h->log.end(), "trace_load second") == 0);
}

} // namespace kmodld::test
