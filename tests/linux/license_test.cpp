// SPDX-License-Identifier: MIT
#include <kmodld/linux/license.hpp>

#include <doctest/doctest.h>

using namespace kmodld;

TEST_CASE("license: exactly six texts are compatible") {
  for (char const* text : {"GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL",
                           "Dual MIT/GPL", "Dual MPL/GPL"}) {
    CAPTURE(text);
    CHECK(license_is_gpl_compatible(text));
  }
  for (char const* text : {"", "gpl", "GPL ", " GPL", "GPLv2", "GPL v3", "Dual MIT/GPL ",
                           "Proprietary", "Dual BSD/MIT", "unspecified"}) {
    CAPTURE(text);
    CHECK_FALSE(license_is_gpl_compatible(text));
  }
  CHECK_FALSE(license_is_gpl_compatible("GPL\0"sv));
  CHECK_FALSE(license_is_gpl_compatible(unspecified_license));
}

TEST_CASE("license: modules that taint by their name") {
  CHECK(taint_by_name("ndiswrapper") == name_taint{true, false});
  CHECK(taint_by_name("driverloader") == name_taint{true, true});
  CHECK(taint_by_name("lve") == name_taint{true, true});
  CHECK(taint_by_name("lv") == name_taint{});
  CHECK(taint_by_name("lve2") == name_taint{});
  CHECK(taint_by_name("") == name_taint{});
}
