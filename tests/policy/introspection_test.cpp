// SPDX-License-Identifier: MIT
#include <kmodld/module.hpp>
#include <kmodld/policy/introspection.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace kmodld;

namespace {

/// Writes down what it is asked; fails at one part.
struct recorder {
  int fail_at = -1;
  std::string trace;

  int create(sysfs_part part, module&) noexcept {
    trace += std::string{"+"} + sysfs_part_name(part) + " ";
    return static_cast<int>(part) == fail_at ? 12 : 0;
  }
  void remove(sysfs_part part, module&) noexcept {
    trace += std::string{"-"} + sysfs_part_name(part) + " ";
  }
  void announce(module&) noexcept { trace += "add "; }
};

std::string setup(int fail_at, bool strict = false, int expected = 12) {
  recorder r{fail_at, {}};
  module m;
  sysfs_part failed{};
  CHECK(create_all(r, m, failed, strict) == expected);
  if (expected != 0)
    CHECK(static_cast<int>(failed) == fail_at);
  return r.trace;
}

struct without_remove {
  int create(sysfs_part, module&) noexcept { return 0; }
  void announce(module&) noexcept {}
};
struct may_throw : no_introspection {
  int create(sysfs_part, module&) { return 0; }
};

} // namespace

TEST_CASE("introspection: the concept") {
  static_assert(introspection_policy<recorder>);
  static_assert(introspection_policy<introspection_archetype>);
  static_assert(!introspection_policy<without_remove>);
  static_assert(!introspection_policy<may_throw>);
  no_introspection none;
  module m;
  sysfs_part failed{};
  CHECK(create_all(none, m, failed, true) == 0);
  none.announce(m);
  remove_all(none, m);
}

TEST_CASE("introspection: order of parts") {
  CHECK(setup(-1, false, 0) == "+mod_sysfs_init +holders_dir +module_param_sysfs_setup "
                               "+module_add_modinfo_attrs +add_usage_links +add_sect_attrs "
                               "+add_notes_attrs ");
  recorder r;
  module m;
  remove_all(r, m);
  CHECK(r.trace == "-add_usage_links -module_add_modinfo_attrs -module_param_sysfs_setup "
                   "-holders_dir -add_notes_attrs -add_sect_attrs -mod_sysfs_init ");
}

TEST_CASE("introspection: each part's failure takes the earlier ones away") {
  CHECK(setup(0) == "+mod_sysfs_init ");
  CHECK(setup(1) == "+mod_sysfs_init +holders_dir -mod_sysfs_init ");
  CHECK(setup(2) == "+mod_sysfs_init +holders_dir +module_param_sysfs_setup -holders_dir "
                    "-mod_sysfs_init ");
  CHECK(setup(3) == "+mod_sysfs_init +holders_dir +module_param_sysfs_setup "
                    "+module_add_modinfo_attrs -module_param_sysfs_setup -holders_dir "
                    "-mod_sysfs_init ");
  CHECK(setup(4) == "+mod_sysfs_init +holders_dir +module_param_sysfs_setup "
                    "+module_add_modinfo_attrs +add_usage_links -module_add_modinfo_attrs "
                    "-module_param_sysfs_setup -holders_dir -mod_sysfs_init ");
  std::string all = setup(-1, false, 0);
  CHECK(setup(5, false, 0) == all);
  CHECK(setup(6, false, 0) == all);
  CHECK(setup(6, true) == all + "-add_sect_attrs -add_usage_links -module_add_modinfo_attrs "
                                "-module_param_sysfs_setup -holders_dir -mod_sysfs_init ");
}
