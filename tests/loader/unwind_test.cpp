// SPDX-License-Identifier: MIT
// The unwind ladder of load_module: every step is made to fail, and what is undone is compared with
// the kernel's labels (specification, section 24), written down here by hand.
#include "loader/fixture.hpp"

#include <doctest/doctest.h>

namespace kmodld::test {
namespace {

/// A label of Linux 6.1 and what stands at it, up to the next label. From the label of the failing
/// step all that follow are run.
struct label {
  std::string_view name;
  std::vector<std::string_view> actions;
};

label const ladder[] = {
    {"sysfs_cleanup", {"mod_sysfs_teardown"}},
    // State GOING; parameters; notifiers told; klp_module_going.
    {"coming_cleanup", {"module_destroy_params", "notifier GOING", "klp_module_going"}},
    {"bug_cleanup", {"module_bug_cleanup"}},
    // The grace period before the arguments go is counted by the reclaimer.
    {"ddebug_cleanup", {"ftrace_release_mod", "dynamic_debug_remove", "kfree(args)"}},
    {"free_arch_cleanup", {"module_arch_cleanup"}},
    {"free_modinfo", {"free_modinfo"}},
    {"free_unload", {"module_unload_free"}},
    {"unlink_mod", {"unlink_mod"}},
    {"free_module", {"module_deallocate"}},
    {"free_copy", {"free_copy"}},
};

/// Section 19 (fail) and section 20 (free_module) for what comes after the commit.
std::vector<std::string_view> const after_commit = {
    "notifier GOING",        "klp_module_going",     "ftrace_release_mod",  "mod_sysfs_teardown",
    "free_modinfo",          "dynamic_debug_remove", "module_arch_cleanup", "module_unload_free",
    "module_destroy_params", "unlink_mod",           "kfree(args)",         "module_deallocate"};

struct row {
  std::string_view step, first_label;
  /// Actions before the first label, of a label whose other actions are not yet due: steps that
  /// cannot fail in the kernel stand between what a label undoes.
  std::vector<std::string_view> before = {};
};

row const table[] = {
    // Nothing is held before the first step has run: kmodld has no copy of the file to free.
    {"module_sig_check", ""},
    {"elf_header_check", "free_copy"},
    {"setup_load_info", "free_copy"},
    {"blacklisted", "free_copy"},
    {"rewrite_section_headers", "free_copy"},
    {"check_modstruct_version", "free_copy"},
    {"layout_and_allocate", "free_copy"},
    {"audit_log_kern_module", "free_module"},
    {"add_unformed_module", "free_module"},
    {"taint_unsigned", "unlink_mod"},
    {"percpu_modalloc", "unlink_mod"},
    {"module_unload_init", "unlink_mod"},
    {"init_param_lock", "free_unload"},
    {"find_module_sections", "free_unload"},
    {"check_module_license_and_versions", "free_unload"},
    {"setup_modinfo", "free_unload"},
    {"simplify_symbols", "free_modinfo"},
    {"apply_relocations", "free_modinfo"},
    {"post_relocation", "free_modinfo"},
    {"flush_module_icache", "free_arch_cleanup"},
    {"strndup_user", "free_arch_cleanup"},
    // Three that the kernel cannot see fail: part of ddebug_cleanup is due.
    {"init_build_id", "free_arch_cleanup", {"kfree(args)"}},
    {"dynamic_debug_setup", "free_arch_cleanup", {"kfree(args)"}},
    {"ftrace_module_init", "free_arch_cleanup", {"dynamic_debug_remove", "kfree(args)"}},
    {"complete_formation", "ddebug_cleanup"},
    {"prepare_coming_module", "bug_cleanup"},
    {"parse_args", "coming_cleanup"},
    {"mod_sysfs_setup", "coming_cleanup"},
    {"copy_module_elf", "sysfs_cleanup"},
    {"free_copy", "sysfs_cleanup"},
    {"trace_module_load", "free_module()"},
    {"do_init_module", "free_module()"},
};

event_log expected(row const& r) {
  event_log out(r.before.begin(), r.before.end());
  if (r.first_label == "free_module()")
    return {after_commit.begin(), after_commit.end()};
  bool reached = false;
  for (label const& l : ladder) {
    reached = reached || l.name == r.first_label;
    if (reached)
      out.insert(out.end(), l.actions.begin(), l.actions.end());
  }
  return out;
}

unsigned count(event_log const& log, std::string_view event) {
  return static_cast<unsigned>(std::count(log.begin(), log.end(), event));
}

void fail_every_step(kernel k) {
  auto h = make_host(k);
  REQUIRE(h->load(base_module()));
  std::string const before = h->held();
  for (row const& r : table) {
    CAPTURE(r.step);
    h->forget_events();
    h->tracer.fail_step = r.step;
    auto refused = h->load(full_module(), "number=1 flag");
    REQUIRE(!refused);
    CHECK(refused.error().code == errc::injected);
    CHECK(refused.error().os_errno() == e_io);
    CHECK(refused.error().step == h->tracer.entered.size());
    CHECK(h->tracer.entered.back() == r.step);
    CHECK(h->tracer.undone_actions == expected(r));
    CHECK(h->held() == before);
    CHECK(h->sound());
    CHECK(h->notifier.balanced() == false); // base is told COMING only
    CHECK(h->notifier.told["full"] == 0);
    bool const came = &r - table > 25;
    CHECK(count(h->log, "notify COMING full") == (came ? 1 : 0));
    CHECK(count(h->log, "notify GOING full") == (came ? 1 : 0));
    CHECK(count(h->log, "notify LIVE full") == 0);
    CHECK(count(h->log, "klp_coming full") == count(h->log, "klp_going full"));
    CHECK(count(h->log, "finalize full") == count(h->log, "cleanup full"));
  }
  h->tracer.fail_step.clear();
  CHECK(h->load(full_module()));
  CHECK(h->unload("full"));
  CHECK(h->unload("base"));
  CHECK(h->clean());
}

} // namespace

TEST_CASE("the table of the ladder names every step of load_module in order") {
  auto h = make_host();
  REQUIRE(h->load(base_module()));
  h->forget_events();
  REQUIRE(h->load(full_module()));
  REQUIRE(h->tracer.entered.size() == std::size(table));
  for (std::size_t i = 0; i < std::size(table); ++i)
    CHECK(h->tracer.entered[i] == table[i].step);
  CHECK(h->tracer.undone_actions.empty());
}

TEST_CASE("each step that fails is unwound by the kernel's ladder, before Linux 6.4") {
  fail_every_step(kernel::v6_1);
}
TEST_CASE("each step that fails is unwound by the kernel's ladder, seven regions") {
  fail_every_step(kernel::v6_12);
}
TEST_CASE("each step that fails is unwound by the kernel's ladder, all options") {
  fail_every_step(kernel::options);
}

TEST_CASE("a load that fails wakes those who wait for the name") {
  auto h = make_host();
  h->tracer.fail_step = "simplify_symbols";
  CHECK(!h->load(simple_module()));
  CHECK(h->lock.wakes > 0);
  CHECK(h->reclaimer.grace_periods == 1);
}

TEST_CASE("taints and messages printed once are not undone") {
  auto h = make_host();
  h->tracer.fail_step = "percpu_modalloc";
  CHECK(!h->load(simple_builder("demo", "Proprietary").modinfo("staging", "Y").build()));
  CHECK((h->taints() & taint_proprietary) != 0);
  CHECK((h->taints() & taint_staging) != 0);
  CHECK((h->taints() & taint_unsigned) != 0);
  CHECK(h->diagnostics.count(errc::taint_license) == 1);
  CHECK(!h->load(simple_module("again", "Proprietary")));
  CHECK(h->diagnostics.count(errc::taint_license) == 1);
  CHECK(h->diagnostics.count(errc::taint_unsigned) == 1);
}

} // namespace kmodld::test
