// expect: kmodld: a field of Arch::rules has more or fewer slices than its count says
// SPDX-License-Identifier: MIT
// A field whose second slice would be dropped.
#include <kmodld/reloc/classes.hpp>

using namespace kmodld;

struct arch {
#ifdef GOOD
  static constexpr reloc::field call{4, 2, {{2, 5, 7}, {7, 15, 17}}};
#else
  static constexpr reloc::field call{4, 1, {{2, 5, 7}, {7, 15, 17}}};
#endif
  static constexpr reloc::rule rules[] = {
      {1, "R_1", reloc::formula::s_a_p, call, reloc::check::none, reloc::by_linux},
  };
};

u32 use() { return reloc::classes<arch>::count; }
