// SPDX-License-Identifier: MIT
// s390x against its linkers: big-endian, halved distances, split displacements.
#include "linkers/compare.hpp"
#include "linkers/targets.hpp"

#include <kmodld/arch/s390x.hpp>

namespace kmodld::test::linkers {

template <>
struct target<arch::s390x> : target_base<arch::s390x> {
  static constexpr u64 base = 0x3ff80000000;

  static std::vector<exception> exceptions() {
    return {
        {1,
         5,
         differs::stricter_here,
         {lies::past},
         "linkers take values whose upper bits are all equal"},
        {16,
         20,
         differs::stricter_here,
         {lies::past},
         "BFD takes values whose upper bits are all equal",
         true,
         false},
        {57,
         57,
         differs::stricter_here,
         {lies::past},
         "BFD takes values whose upper bits are all equal",
         true,
         false},
        {29,
         33,
         differs::unknown_there,
         {},
         "lld puts slots of GOTPLT before the GOT",
         false,
         true},
        {59,
         59,
         differs::unknown_there,
         {},
         "lld puts slots of GOTPLT before the GOT",
         false,
         true},
        {62,
         65,
         differs::stricter_here,
         {lies::past},
         "BFD takes values whose upper bits are all equal",
         true,
         false},
        {14,
         14,
         differs::other_bytes,
         {lies::inside},
         "linkers take GOTPC for 64 bits, Linux for 32"},
    };
  }

  template <class Skipped>
  static void more(suite<arch::s390x>& s, bool, Skipped const& skipped) {
    // 24 bits of a halved distance.
    for (u32 type : {64u, 65u}) {
      if (skipped(type))
        continue;
      u64 const end = u64{1} << 24;
      for (u64 v : {u64{0}, u64{2}, 0 - u64{2}, 0 - end, 2 - end, end - 2, end - 4, u64{0x123456}})
        add_place(s, type, lies::inside, 3, 0, v, 2, true);
      for (u64 v : {end, end + 2, 0 - end - 2, 3 * end})
        add_place(s, type, lies::past, 3, 0, v, 2, true);
      add_place(s, type, lies::misaligned, 3, 0, 0x101, 2, true);
    }
  }
};

bool s390x(linker const& by) { return compare<arch::s390x>(by); }

} // namespace kmodld::test::linkers
