// SPDX-License-Identifier: MIT
// Parameters of one module are set one at a time.
#include "steps/support.hpp"

namespace kmodld::test {
TEST_CASE("init_param_lock: free when init runs") {
  auto h = make_host();
  loaded(*h, base_module());
  bool busy = true;
  h->invoker.during_init = [&](module& m) { busy = m.param_busy; };
  unsigned const wakes = h->lock.wakes;
  loaded(*h, full_module(), "number=1 flag");
  CHECK(!busy);
  CHECK(h->lock.wakes >= wakes + 2);
  CHECK(h->lock.waits == 0);
}

} // namespace kmodld::test
