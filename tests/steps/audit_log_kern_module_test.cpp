// SPDX-License-Identifier: MIT
// The audit record.
#include "steps/support.hpp"

namespace kmodld::test {
TEST_CASE("audit_log_kern_module: the name, before it is known to be free") {
  auto h = make_host();
  loaded(*h, simple_module());
  CHECK(h->log.front() == "audit demo");
  h->log.clear();
  refused(*h, simple_module(), errc::module_exists, "add_unformed_module");
  CHECK(h->log == event_log{"audit demo"});
}

} // namespace kmodld::test
