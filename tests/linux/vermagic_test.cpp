// SPDX-License-Identifier: MIT
#include <kmodld/linux/vermagic.hpp>

#include <doctest/doctest.h>

using namespace kmodld;

TEST_CASE("vermagic: the release counts only without symbol versions") {
  struct row {
    std::string_view module, kernel;
    bool plain, with_crcs;
  };
  row const rows[] = {
      {"6.1.0 SMP mod_unload ", "6.1.0 SMP mod_unload ", true, true},
      {"6.1.0 SMP mod_unload ", "6.1.9 SMP mod_unload ", false, true},
      {"6.1.0 SMP mod_unload", "6.1.0 SMP mod_unload ", false, false},
      {"6.1.0 SMP mod_unload ", "6.1.0 mod_unload ", false, false},
      {"6.1.0  SMP ", "6.1.0 SMP ", false, false},
      {"6.1.0", "6.1.9", false, true},
      {"6.1.0", "6.1.0 ", false, false},
      {"", "6.1.0", false, true},
      {"", "", true, true},
      {"", " SMP ", false, false},
      {" SMP ", "6.1.0 SMP ", false, true},
  };
  for (row const& r : rows) {
    CAPTURE(r.module);
    CAPTURE(r.kernel);
    CHECK(same_magic(r.module, r.kernel, false) == r.plain);
    CHECK(same_magic(r.module, r.kernel, true) == r.with_crcs);
  }
}
