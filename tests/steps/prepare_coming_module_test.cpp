// SPDX-License-Identifier: MIT
// Who is told that a module comes, in which order.
#include "steps/support.hpp"

namespace kmodld::test {
TEST_CASE("prepare_coming_module: tracing, live patches, notifier") {
  auto h = make_host();
  h->log.clear();
  loaded(*h, simple_module());
  CHECK(h->log == event_log{"audit demo", "finalize demo", "ftrace_enable demo", "klp_coming demo",
                            "notify COMING demo", "trace_load demo", "init demo",
                            "notify LIVE demo", "announce demo", "async_synchronize"});
}

TEST_CASE("prepare_coming_module: no module is called vmlinux where there are live patches") {
  auto h = make_host();
  error e = refused(*h, simple_module("vmlinux"), errc::livepatch_name, "prepare_coming_module");
  CHECK(e.os_errno() == e_inval);
  CHECK(text_of(e) == "vmlinux.ko: invalid module name");
  CHECK(std::count(h->log.begin(), h->log.end(), "klp_coming vmlinux") == 0);
}

TEST_CASE("prepare_coming_module: exports are visible, state is COMING, init has not run") {
  auto h = make_host();
  h->notifier.refuse = 5;
  after(*h, "complete_formation", [&](module&) {
    CHECK(h->symbols.table.contains("f"));
    CHECK(h->invoker.called.empty());
  });
  CHECK(refused(*h, exporting_module("demo", "f"), errc::notifier_refused, "prepare_coming_module")
            .os_errno() == 5);
}

TEST_CASE("prepare_coming_module: refusals of other events do not matter") {
  auto h = make_host();
  h->invoker.during_init = [&](module&) { h->notifier.refuse = 5; };
  loaded(*h, simple_module());
  CHECK(h->unload("demo"));
}

} // namespace kmodld::test
