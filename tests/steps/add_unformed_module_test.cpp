// SPDX-License-Identifier: MIT
// One module a name; waiting for the one that is being made.
#include "steps/support.hpp"

namespace kmodld::test {
namespace {
/// Loads demo, and a second demo from within the first one's init; the first is there in `state`.
errc second_load(host& h, module_state state, std::function<wait_status(module&)> on_wait) {
  errc answer = errc::ok;
  h.invoker.during_init = [&, on_wait](module& m) {
    m.state = state;
    if (on_wait)
      h.lock.on_wait = [&m, on_wait] { return on_wait(m); };
    answer = code_of(h.load(simple_module()));
    h.lock.on_wait = nullptr;
  };
  REQUIRE(h.load(simple_module()));
  CHECK(h.unload("demo"));
  CHECK(h.clean());
  return answer;
}
} // namespace

TEST_CASE("add_unformed_module: EEXIST for a live one") {
  auto h = make_host();
  loaded(*h, simple_module());
  error e = refused(*h, simple_module(), errc::module_exists, "add_unformed_module");
  CHECK(e.os_errno() == e_exist);
  CHECK(h->lock.waits == 0);
  CHECK(h->tracer.undone_actions == event_log{"module_deallocate", "free_copy"});
}

TEST_CASE("add_unformed_module: waits for one that is coming, then EEXIST or EBUSY") {
  auto h = make_host();
  CHECK(second_load(*h, module_state::coming, [](module& m) {
          m.state = module_state::live;
          return wait_status::woken;
        }) == errc::module_exists);
  CHECK(h->lock.waits == 1);
  CHECK(second_load(*h, module_state::coming, [](module& m) {
          m.state = module_state::going;
          return wait_status::woken;
        }) == errc::module_busy);
  int rounds = 0;
  CHECK(second_load(*h, module_state::unformed, [&](module& m) {
          if (++rounds == 3)
            m.state = module_state::live;
          return wait_status::woken;
        }) == errc::module_exists);
  CHECK(rounds == 3);
  CHECK(errno_of(errc::module_busy) == e_busy);
}

TEST_CASE("add_unformed_module: one that has vanished meanwhile is EBUSY all the same") {
  auto h = make_host();
  errc answer = errc::ok;
  h->invoker.during_init = [&](module& m) {
    h->lock.on_wait = [&m] {
      copy_text(m.name_text, "gone"sv);
      return wait_status::woken;
    };
    answer = code_of(h->load(simple_module()));
    copy_text(m.name_text, "demo"sv);
  };
  loaded(*h, simple_module());
  CHECK(answer == errc::module_busy);
}

TEST_CASE("add_unformed_module: GOING is not waited for") {
  auto h = make_host();
  CHECK(second_load(*h, module_state::going, nullptr) == errc::module_busy);
  CHECK(h->lock.waits == 0);
}

TEST_CASE("add_unformed_module: a signal ends the wait, and so does the end of time") {
  auto h = make_host();
  CHECK(second_load(*h, module_state::coming, [](module&) { return wait_status::interrupted; }) ==
        errc::interrupted);
  CHECK(errno_of(errc::interrupted) == e_intr);
  CHECK(second_load(*h, module_state::coming, nullptr) == errc::module_busy);
}

TEST_CASE("add_unformed_module: newest first, hidden until complete_formation") {
  auto h = make_host();
  loaded(*h, simple_module("first"));
  bool hidden = false;
  after(*h, "add_unformed_module", [&](module& m) {
    hidden = m.name() == "second" && m.state == module_state::unformed &&
             h->modules().find("second", false) == nullptr;
  });
  loaded(*h, simple_module("second"));
  CHECK(hidden);
  CHECK(h->modules().begin()->name() == "second");
}

} // namespace kmodld::test
