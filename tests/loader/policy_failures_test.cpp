// SPDX-License-Identifier: MIT
// Every call of a policy is made to fail: the errno is right, and nothing is left behind.
#include "loader/fixture.hpp"

#include <doctest/doctest.h>

namespace kmodld::test {
namespace {

/// A host with `base` loaded, and what it holds then.
struct prepared {
  explicit prepared(kernel k = kernel::v6_1) : h{make_host(k)} {
    REQUIRE(h->load(base_module()));
    before = h->held();
    h->forget_events();
  }
  /// The load must fail with this and leave nothing.
  void refused(errc code, int number, std::string_view last_step, byte_vector const& image) {
    auto r = h->load(image, "number=1");
    CHECK(code_of(r) == code);
    CHECK(errno_of(r) == number);
    CHECK(h->tracer.entered.back() == last_step);
    CHECK(h->held() == before);
    CHECK(h->sound());
    CHECK(h->notifier.told["full"] == 0);
  }
  void refused(errc code, int number, std::string_view last_step) {
    refused(code, number, last_step, full_module());
  }
  std::unique_ptr<host> h;
  std::string before;
};

void fail_every_allocation(kernel k, memory_status with, errc code_of_regions) {
  prepared p{k};
  byte_vector const image = full_module();
  unsigned refusals = 0, overlooked = 0, regions = 0;
  u64 n = 1;
  for (;; ++n) {
    CAPTURE(n);
    p.h->allocator.clear_trace();
    p.h->allocator.fail_at(n, with);
    auto r = p.h->load(image, "number=1");
    if (p.h->allocator.failure_pending()) {
      REQUIRE(r);
      r->reset();
      REQUIRE(p.h->unload("full"));
      break;
    }
    using counter = memory_kinds;
    for (auto const& e : p.h->allocator.trace())
      if (e.what == counter::action::refused && e.kind <= memory_kind::init) {
        ++regions;
        CHECK(code_of(r) == code_of_regions);
      }
    if (r) {
      // Linux goes on without version, srcversion and sections/ (6.1).
      ++overlooked;
      r->reset();
      REQUIRE(p.h->unload("full"));
    } else {
      ++refusals;
      CHECK(errno_of(r) == e_nomem);
    }
    CHECK(p.h->held() == p.before);
    CHECK(p.h->sound());
    CHECK(p.h->notifier.told["full"] == 0);
  }
  p.h->allocator.fail_at(0);
  CHECK(overlooked == 3);
  CHECK(regions == (k == kernel::v6_12 ? 7u : 2u));
  // The record, the section table, three of the symbols, one use, the arguments at least.
  CHECK(refusals >= regions + 7);
  CHECK(n > refusals);
}

} // namespace

TEST_CASE("every allocation fails: ENOMEM or overlooked, as in Linux") {
  fail_every_allocation(kernel::v6_1, memory_status::no_room, errc::no_memory);
  fail_every_allocation(kernel::v6_12, memory_status::no_room, errc::no_memory);
}
TEST_CASE("memory out of reach is told apart") {
  fail_every_allocation(kernel::v6_1, memory_status::out_of_reach, errc::out_of_reach);
  fail_every_allocation(kernel::v6_12, memory_status::out_of_reach, errc::out_of_reach);
}

TEST_CASE("a window in which the allocator has no memory") {
  prepared p;
  p.h->settings().module_window = {{0x1000}, {0x100000}};
  p.refused(errc::out_of_reach, e_nomem, "layout_and_allocate");
}

TEST_CASE("the protector refuses") {
  for (kernel k : {kernel::v6_1, kernel::v6_12}) {
    prepared p{k};
    p.h->protector.fail_in = 1;
    p.h->protector.fail_with = e_inval;
    p.refused(errc::protect_failed, e_inval, "complete_formation");
    CHECK(p.h->symbols.exports_of_modules() == 1); // base's
    CHECK(p.h->tracer.undone_actions.front() == "ftrace_release_mod");
  }
}

TEST_CASE("the protector cannot seal after init: only a note") {
  prepared p;
  p.h->protector.fail_in = 2;
  REQUIRE(p.h->load(full_module()));
  CHECK(p.h->diagnostics.count(errc::protect_failed) == 1);
  CHECK(p.h->find("full")->state == module_state::live);
}

TEST_CASE("a notifier refuses: live patches are told, then bug_cleanup") {
  prepared p;
  p.h->notifier.refuse = 77;
  p.refused(errc::notifier_refused, 77, "prepare_coming_module");
  CHECK(p.h->tracer.undone_actions[0] == "klp_module_going");
  CHECK(p.h->tracer.undone_actions[1] == "module_bug_cleanup");
  CHECK(p.h->tracer.undone_actions[2] == "ftrace_release_mod");
  CHECK(std::count(p.h->log.begin(), p.h->log.end(), "notify GOING full") == 0);
}

TEST_CASE("a live patch refuses: the notifier is told nothing") {
  prepared p;
  p.h->hooks.klp_error = e_inval;
  p.refused(errc::livepatch_refused, e_inval, "prepare_coming_module");
  CHECK(p.h->tracer.undone_actions[0] == "module_bug_cleanup");
  CHECK(std::count(p.h->log.begin(), p.h->log.end(), "notify COMING full") == 0);
}

TEST_CASE("no per-CPU memory") {
  prepared p;
  p.h->percpu.fail = true;
  p.refused(errc::percpu_no_memory, e_nomem, "percpu_modalloc");
  CHECK(p.h->tracer.undone_actions.front() == "unlink_mod");
}

TEST_CASE("a hook refuses in module_finalize: no cleanup for it") {
  prepared p;
  p.h->hooks.finalize_error = e_noexec;
  p.refused(errc::hook_refused, e_noexec, "post_relocation");
  CHECK(p.h->tracer.undone_actions.front() == "free_modinfo");
  CHECK(std::count(p.h->log.begin(), p.h->log.end(), "cleanup full") == 0);
}

TEST_CASE("ftrace and dynamic debug fail: only notes") {
  prepared p;
  p.h->hooks.ftrace_error = e_nomem;
  p.h->hooks.ddebug_error = e_nomem;
  REQUIRE(p.h->load(full_module()));
  CHECK(p.h->diagnostics.count(errc::ftrace_failed) == 1);
  CHECK(p.h->diagnostics.count(errc::ddebug_failed) == 1);
}

TEST_CASE("each part of sysfs fails") {
  for (kernel k : {kernel::v6_1, kernel::v6_12})
    for (sysfs_part part : sysfs_setup_order) {
      CAPTURE(sysfs_part_name(part));
      prepared p{k};
      p.h->introspection.fail_part = part;
      p.h->introspection.fail_with = e_nomem;
      if (part >= sysfs_part::sections && k == kernel::v6_1) {
        REQUIRE(p.h->load(full_module()));
        CHECK(p.h->unload("full"));
        CHECK(p.h->held() == p.before);
        continue;
      }
      p.refused(errc::sysfs_failed, e_nomem, "mod_sysfs_setup");
      CHECK(p.h->tracer.undone_actions.front() == "module_destroy_params");
    }
}

TEST_CASE("init fails: the module is freed by the second list") {
  for (kernel k : {kernel::v6_1, kernel::v6_12}) {
    prepared p{k};
    p.h->invoker.answer = -19;
    p.refused(errc::init_failed, 19, "do_init_module");
    CHECK(p.h->tracer.undone_actions ==
          event_log{"notifier GOING", "klp_module_going", "ftrace_release_mod",
                    "mod_sysfs_teardown", "free_modinfo", "dynamic_debug_remove",
                    "module_arch_cleanup", "module_unload_free", "module_destroy_params",
                    "unlink_mod", "kfree(args)", "module_deallocate"});
    CHECK(std::count(p.h->log.begin(), p.h->log.end(), "exit full") == 0);
    CHECK(std::count(p.h->log.begin(), p.h->log.end(), "trace_free full") == 1);
  }
}

TEST_CASE("the registry of exports cannot take the n-th export") {
  for (unsigned n : {1u, 2u}) {
    prepared p;
    p.h->symbols.fail_add_in = n;
    p.refused(errc::no_memory, e_nomem, "complete_formation");
    CHECK(p.h->symbols.exports_of_modules() == 1);
  }
}

TEST_CASE("an argument is refused: coming_cleanup, the parameters set before it are freed") {
  prepared p;
  auto r = p.h->load(full_module(), "flag number=out-of-range");
  CHECK(errno_of(r) == e_range);
  CHECK(p.h->parameters.values["flag"] == "(none)");
  CHECK(p.h->parameters.freed == 2); // every parameter, also unset ones
  CHECK(p.h->tracer.undone_actions.front() == "module_destroy_params");
  CHECK(p.h->held() == p.before);
}

} // namespace kmodld::test
