// expect: kmodld: Arch::rules must ascend by type
// SPDX-License-Identifier: MIT
// Rows of a relocation table in another order than that of their types.
#include <kmodld/reloc/classes.hpp>

using namespace kmodld;

struct arch {
  static constexpr reloc::field word{4};
  static constexpr reloc::rule rules[] = {
#ifdef GOOD
      {1, "R_1", reloc::formula::s_a, word, reloc::check::none, reloc::by_linux},
#endif
      {2, "R_2", reloc::formula::s_a_p, word, reloc::check::none, reloc::by_linux},
#ifndef GOOD
      {1, "R_1", reloc::formula::s_a, word, reloc::check::none, reloc::by_linux},
#endif
      {3, "R_3", reloc::formula::none, {}, reloc::check::none, reloc::by_linux},
  };
};

u32 use() { return reloc::classes<arch>::count; }
