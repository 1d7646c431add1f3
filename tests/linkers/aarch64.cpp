// SPDX-License-Identifier: MIT
// AArch64 against its linkers: pages that are crossed, MOVN or MOVZ by sign.
#include "linkers/compare.hpp"
#include "linkers/targets.hpp"

#include <kmodld/arch/aarch64.hpp>

namespace kmodld::test::linkers {

template <>
struct target<arch::aarch64> : target_base<arch::aarch64> {
  static constexpr u64 base = 0xffff800010000000;

  static u64 insn(u32 type, u64 random) {
    switch (type) {
    case 279: return 0x36000000 | (random & 0x0107ffff);
    case 280: return 0x54000000 | (random & 0xffffef);
    case 282: return 0x14000000 | (random & 0x3ffffff);
    case 283: return 0x94000000 | (random & 0x3ffffff);
    case 288:
    case 290:
    case 292: return 0xf2800000 | (random & 0x1f); // lld would OR into the field
    default: return random;
    }
  }

  static std::vector<exception> exceptions() {
    return {
        {307, 308, differs::unknown_there, {}, "GNU ld 2.40 has no GOTREL", true, false},
        {307, 308, differs::unknown_there, {}, "lld 19 has no GOTREL", false, true},
        {314, 315, differs::unknown_there, {}, "GNU ld 2.40 has no PLT32, GOTPCREL32", true, false},
        {258,
         259,
         differs::stricter_here,
         {lies::past},
         "the psABI allows signed ABS32, ABS16, "
         "Linux does not",
         false,
         true},
        {261,
         262,
         differs::stricter_here,
         {lies::past},
         "the psABI allows unsigned PREL32, "
         "PREL16, Linux does not",
         false,
         true},
        {293,
         293,
         differs::other_bytes,
         {lies::inside},
         "lld has no MOVN for PREL_G3",
         false,
         true},
        {314, 314, differs::stricter_here, {lies::past}, "lld makes a veneer", false, true},
        {314,
         314,
         differs::other_bytes,
         {lies::inside},
         "lld makes a veneer for the last 4 bytes",
         false,
         true},
        {273,
         280,
         differs::stricter_there,
         {lies::misaligned},
         "Linux does not look at the bits "
         "that a branch drops"},
        {284,
         299,
         differs::stricter_there,
         {lies::misaligned},
         "Linux does not look at the bits "
         "that LDST drops"},
        {282,
         283,
         differs::stricter_here,
         {lies::past},
         "a linker makes a veneer; there is no "
         "PLT here"},
    };
  }

  template <class Skipped>
  static void more(suite<arch::aarch64>& s, bool lld, Skipped const&) {
    u64 const imm = lld ? 0x4000001f : 0x401fffff; // lld ORs into the field
    // MOVW_SABS and MOVW_PREL: MOVZ or MOVN by the sign, 17 signed bits in all of group 0.
    for (u32 type : {270u, 271u, 272u, 287u, 289u, 291u, 293u}) {
      bool const relative = type >= 287;
      unsigned const shift = 16 * (relative ? (type - 287) / 2 : type - 270);
      u64 const end = shift == 48 ? 0 : u64{1} << (shift + 16);
      for (u64 v : {u64{0}, u64{1}, u64{0xffff}, u64{0x1234} << shift, ~u64{0}, 0 - u64{0xfffe},
                    end - 1, 0 - end, 0 - end + 1})
        add_place(s, type, lies::inside, 4, 0x92800000 | (s.random() & imm), v, 8, relative);
      if (end != 0)
        for (u64 v : {end, 0 - end - 1, 3 * end, 0 - 5 * end})
          add_place(s, type, lies::past, 4, 0x92800000 | (s.random() & imm), v, 8, relative);
    }
    // ADRP from both ends of a page to both ends of the next and the one before.
    for (u64 in_page : {u64{0xff8}, u64{0xffc}, u64{0x1000}, u64{0x1004}}) {
      u64 const here = s.base + s.bytes.size();
      u64 const start = ((here + 0xfff) & ~u64{0xfff}) + in_page - 8;
      for (u64 distance : {u64{0}, u64{4}, u64{8}, 0 - u64{4}, 0 - u64{8}, u64{0xff8}, u64{0x1000},
                           0 - u64{0x1000}, 0 - u64{0xffc}})
        for (u32 type : {275u, 276u}) {
          u64 const filler = (start & ~u64{15}) - s.base - s.bytes.size();
          if (static_cast<i64>(filler) > 0)
            s.bytes.resize(s.bytes.size() + filler);
          u64 const p = s.begin(type, lies::inside, "ADRP across pages") + (start & 15);
          s.put(p, 4, 0x90000000);
          s.add(p, type, s.symbol(p + distance));
        }
    }
  }
};

bool aarch64(linker const& by) { return compare<arch::aarch64>(by); }

} // namespace kmodld::test::linkers
