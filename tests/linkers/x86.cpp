// SPDX-License-Identifier: MIT
// x86-64 and i386 against their linkers.
#include "linkers/compare.hpp"
#include "linkers/targets.hpp"

#include <kmodld/arch/i386.hpp>
#include <kmodld/arch/x86_64.hpp>

namespace kmodld::test::linkers {

template <>
struct target<arch::x86_64> : target_base<arch::x86_64> {
  static constexpr u64 base = 0x7ff00000;
  static u64 slot_addend(u32 type) {
    return reloc::find_rule<arch::x86_64>(type)->formula == reloc::formula::g_got_a_p ? ~u64{3} : 0;
  }
  static std::vector<exception> exceptions() {
    return {
        {12,
         15,
         differs::stricter_here,
         {lies::past},
         "BFD takes any 16 or 8 bits whose upper bits "
         "are all equal",
         true,
         false},
    };
  }
};

template <>
struct target<arch::i386> : target_base<arch::i386> {
  static constexpr u64 base = 0xc0000000;
  static std::vector<exception> exceptions() {
    return {
        {11, 11, differs::unknown_there, {}, "R_386_32PLT is an assembler's"},
        {43,
         43,
         differs::unknown_there,
         {},
         "GNU ld rewrites the instruction, relaxing or not",
         true,
         false},
        {38, 38, differs::unknown_there, {}, "lld has no R_386_SIZE32", false, true},
        {20,
         23,
         differs::stricter_here,
         {lies::past},
         "BFD takes any 16 or 8 bits whose upper bits "
         "are all equal",
         true,
         false},
        {20,
         23,
         differs::stricter_there,
         {lies::inside},
         "BFD adds to the place and looks at the "
         "carry of the narrow sum",
         true,
         false},
        {21,
         21,
         differs::stricter_here,
         {lies::past},
         "code of 16 bits wraps at 64 KiB: lld allows "
         "17 bits",
         false,
         true},
    };
  }
  template <class Skipped>
  static void more(suite<arch::i386>& s, bool lld, Skipped const& skipped) {
    for (u32 type : {3u, 43u})
      for (u64 modrm : {u64{0x83}, u64{0x05}, u64{0x0d}, u64{0x45}}) {
        // psABI 1.1: without a register it is the slot's address; GNU ld has that for GOT32X only.
        if (skipped(type) || (!lld && (modrm & 0xc7) == 5))
          continue;
        // LEA: linkers rewrite loads even where they are told not to relax.
        u64 const p =
            add_place(s, type, lies::inside, 4, 0, 0xc0200000 + 16 * (s.random() & 0xff), 0, false);
        s.put(p - 2, 2, 0x8d | modrm << 8);
      }
  }
};

bool x86_64(linker const& by) { return compare<arch::x86_64>(by); }
bool i386(linker const& by) { return compare<arch::i386>(by); }

} // namespace kmodld::test::linkers
