// SPDX-License-Identifier: MIT
// Call sites of the tracer.
#include "steps/support.hpp"

namespace kmodld::test {
TEST_CASE("ftrace_module_init: while text is writable; only where there are call sites") {
  auto h = make_host();
  loaded(*h, base_module());
  loaded(*h, simple_module());
  CHECK(std::count(h->log.begin(), h->log.end(), "ftrace_init demo") == 0);
  std::size_t const protections = h->protector.batches.size();
  after(*h, "ftrace_module_init", [&](module& m) {
    CHECK(m.state == module_state::unformed);
    CHECK(h->protector.batches.size() == protections);
    CHECK(std::count(h->log.begin(), h->log.end(), "ftrace_init full") == 1);
  });
  loaded(*h, full_module());
  h->tracer.on_leave = nullptr;
  h->hooks.ftrace_error = e_nomem;
  CHECK(h->unload("full"));
  loaded(*h, full_module());
  CHECK(h->diagnostics.said("ftrace: failed to allocate entries for module 'full' functions"));
}

} // namespace kmodld::test
