// SPDX-License-Identifier: MIT
// delete_module: its checks in the kernel's order, and the order of what goes (specification,
// section 20).
#include "loader/fixture.hpp"

#include <doctest/doctest.h>

namespace kmodld::test {
namespace {

errc unload(host& h, std::string_view name, bool force = false) {
  return code_of(h.unload(name, {.force = force}));
}

byte_vector permanent_module() {
  builder b{"permanent"};
  b.init(b.text(bytes_of({0xc3})), 0);
  return b.build().bytes;
}

} // namespace

TEST_CASE("delete_module: what a module leaves goes in the kernel's order") {
  for (kernel k : {kernel::v6_1, kernel::v6_12}) {
    auto h = make_host(k);
    REQUIRE(h->load(base_module()));
    REQUIRE(h->load(full_module()));
    h->forget_events();
    h->introspection.removed.clear();
    unsigned const grace = h->reclaimer.grace_periods;
    REQUIRE(h->unload("full"));
    CHECK(h->tracer.undone_actions ==
          event_log{"notifier GOING", "klp_module_going", "ftrace_release_mod",
                    "mod_sysfs_teardown", "free_modinfo", "dynamic_debug_remove",
                    "module_arch_cleanup", "module_unload_free", "module_destroy_params",
                    "unlink_mod", "kfree(args)", "module_deallocate"});
    CHECK(h->log == event_log{"audit full", "exit full", "notify GOING full", "klp_going full",
                              "ftrace_release full", "async_synchronize", "trace_free full",
                              "ddebug_remove full", "cleanup full"});
    CHECK(h->introspection.removed == std::vector<sysfs_part>(std::begin(sysfs_teardown_order),
                                                              std::end(sysfs_teardown_order)));
    CHECK(h->reclaimer.grace_periods > grace);
    CHECK(h->last_unloaded() == "full");
    CHECK((h->last_unloaded_taints() & taint_unsigned) != 0);
    CHECK(h->unload("base"));
    CHECK(h->last_unloaded() == "base");
    CHECK(h->clean());
  }
}

TEST_CASE("delete_module: EPERM comes before everything") {
  auto h = make_host();
  h->settings().modules_disabled = true;
  auto r = h->unload("nobody");
  CHECK(code_of(r) == errc::not_permitted);
  CHECK(r.error().os_errno() == e_perm);
  CHECK(h->log.empty());
  CHECK(code_of(h->load(simple_module())) == errc::not_permitted);
}

TEST_CASE("delete_module: ENOENT: no module of the name, byte for byte") {
  auto h = make_host();
  REQUIRE(h->load(simple_module("my_name")));
  for (auto name : {"", "my-name", "my_nam", "my_names"}) {
    auto r = h->unload(name);
    CHECK(code_of(r) == errc::unload_no_module);
    CHECK(r.error().os_errno() == e_noent);
  }
  CHECK(h->find("my_name"));
}

TEST_CASE("delete_module: ENOENT: a module that is being formed does not count") {
  auto h = make_host();
  errc answer = errc::ok;
  h->tracer.on_leave = [&](std::string_view step) {
    if (step == "find_module_sections")
      answer = unload(*h, "demo");
  };
  REQUIRE(h->load(simple_module()));
  CHECK(answer == errc::unload_no_module);
}

TEST_CASE("delete_module: EAGAIN while another module uses it, even by force") {
  auto h = make_host();
  REQUIRE(h->load(base_module()));
  REQUIRE(h->load(full_module()));
  for (bool force : {false, true}) {
    auto r = h->unload("base", {.force = force});
    CHECK(code_of(r) == errc::unload_in_use);
    CHECK(r.error().os_errno() == e_again);
  }
  CHECK((h->taints() & taint_forced_rmmod) == 0);
  CHECK(h->find("base")->state == module_state::live);
}

TEST_CASE("delete_module: being in use is told before not being live, that before permanent") {
  auto h = make_host();
  REQUIRE(h->load(base_module()));
  REQUIRE(h->load(full_module()));
  module* base = h->find("base").get();
  base->state = module_state::going;
  CHECK(unload(*h, "base") == errc::unload_in_use);
  base->state = module_state::live;

  REQUIRE(h->load(permanent_module()));
  module* permanent = h->find("permanent").get();
  permanent->state = module_state::coming;
  CHECK(unload(*h, "permanent") == errc::unload_not_live);
  permanent->state = module_state::live;
  CHECK(unload(*h, "permanent") == errc::unload_permanent);
}

TEST_CASE("delete_module: EBUSY while init runs") {
  auto h = make_host();
  errc plain = errc::ok, forced = errc::ok;
  h->invoker.during_init = [&](module&) {
    plain = unload(*h, "demo");
    forced = unload(*h, "demo", true);
  };
  REQUIRE(h->load(simple_module()));
  CHECK(plain == errc::unload_not_live);
  CHECK(forced == errc::unload_not_live);
  CHECK(errno_of(errc::unload_not_live) == e_busy);
}

TEST_CASE("delete_module: EBUSY: init without exit is permanent, unless forced") {
  auto h = make_host();
  REQUIRE(h->load(permanent_module()));
  auto r = h->unload("permanent");
  CHECK(code_of(r) == errc::unload_permanent);
  CHECK(r.error().os_errno() == e_busy);
  CHECK((h->taints() & taint_forced_rmmod) == 0);
  h->forget_events();
  CHECK(unload(*h, "permanent", true) == errc::ok);
  CHECK((h->taints() & taint_forced_rmmod) != 0);
  CHECK(std::count(h->log.begin(), h->log.end(), "exit permanent") == 0);
  CHECK(h->clean());
}

TEST_CASE("delete_module: permanent for ever where unloading by force is not configured") {
  auto h = make_host(kernel::strict);
  REQUIRE(h->load(permanent_module()));
  CHECK(unload(*h, "permanent", true) == errc::unload_permanent);
}

TEST_CASE("delete_module: a module with neither init nor exit can go") {
  auto h = make_host();
  REQUIRE(h->load(builder{"empty"}.build()));
  CHECK(unload(*h, "empty") == errc::ok);
  CHECK(h->clean());
}

TEST_CASE("delete_module: EAGAIN while a reference is held; the base reference is given back") {
  auto h = make_host();
  auto ref = h->load(simple_module());
  REQUIRE(ref);
  CHECK((*ref)->refcnt == 2);
  auto r = h->unload("demo");
  CHECK(code_of(r) == errc::unload_in_use);
  CHECK(r.error().os_errno() == e_again);
  CHECK((*ref)->refcnt == 2);
  CHECK((*ref)->state == module_state::live);
  ref->reset();
  CHECK(unload(*h, "demo") == errc::ok);
  CHECK(h->clean());
}

TEST_CASE("delete_module: no reference on a module that is going") {
  auto h = make_host();
  REQUIRE(h->load(simple_module()));
  module* m = h->find("demo").get();
  m->state = module_state::going;
  CHECK(!h->find("demo"));
  m->state = module_state::live;
  CHECK(h->find("demo"));
  CHECK(m->refcnt == 1);
}

} // namespace kmodld::test
