// SPDX-License-Identifier: MIT
// Arm against its linkers: calls between ARM and Thumb, both halves of MOVW and MOVT, groups.
#include "linkers/compare.hpp"
#include "linkers/targets.hpp"

#include <kmodld/arch/arm.hpp>

namespace kmodld::test::linkers {

template <>
struct target<arch::arm> : target_base<arch::arm> {
  static constexpr u64 base = 0x40000000;
  static constexpr u32 flags = 0x05000000; // EABI 5

  static extras<arch::arm> object(bool got) {
    extras<arch::arm> x;
    x.flags = flags;
    if (got)
      x.asked = {"_GLOBAL_OFFSET_TABLE_"};
    // Armv7-A with ARM and Thumb-2: without it linkers know neither BLX nor wide branches.
    x.attributes = bytes_of(
        {'A', 24, 0, 0, 0, 'a', 'e', 'a', 'b', 'i', 0, 1, 14, 0, 0, 0, 6, 10, 7, 'A', 8, 1, 9, 2});
    x.attributes[1] = std::byte(x.attributes.size() - 1);
    x.attributes[12] = std::byte(x.attributes.size() - 11);
    return x;
  }

  static constexpr bool by_hand(u32 type) { return type == 51; }

  static std::vector<exception> exceptions() {
    constexpr char const* branches =
        "linkers make veneers, and Linux leaves out the lowest distance";
    return {
        {5,
         5,
         differs::unknown_there,
         {},
         "lld has no ABS16, ABS8, ABS32_NOI, REL32_NOI",
         false,
         true},
        {8,
         8,
         differs::unknown_there,
         {},
         "lld has no ABS16, ABS8, ABS32_NOI, REL32_NOI",
         false,
         true},
        {55,
         56,
         differs::unknown_there,
         {},
         "lld has no ABS16, ABS8, ABS32_NOI, REL32_NOI",
         false,
         true},
        {67, 69, differs::unknown_there, {}, "lld has no LDC", false, true},
        {40, 40, differs::unknown_there, {}, "lld leaves BX as it is", false, true},
        {1, 1, differs::stricter_here, {lies::past}, branches},
        {10, 10, differs::stricter_here, {lies::past}, branches},
        {27, 30, differs::stricter_here, {lies::past}, branches},
        {51, 51, differs::stricter_here, {lies::past}, branches},
        {10,
         30,
         differs::other_bytes,
         {lies::edge},
         "GNU ld makes a veneer for the last 2 bytes",
         true,
         false},
        {54,
         54,
         differs::stricter_there,
         {lies::inside},
         "GNU ld has no negative THM_PC12",
         true,
         false},
        {5,
         8,
         differs::stricter_there,
         {lies::inside},
         "BFD looks at the carry of the narrow sum",
         true,
         false},
    };
  }

  static u64 insn(u32 type, u64 random) {
    switch (type) {
    case 43:
    case 45: return 0xe3000000 | (random & 0xf000);
    case 47:
    case 49: return 0xf2400000 | (random & 0xf00);
    case 51: return 0xf0008000 | (random & 0x00c00000);
    case 102: return 0xe000;
    case 103: return 0xd000 | (random & 0xf00);
    default: return random;
    }
  }

  template <class State>
  static void prepare(State& state, linkers_got<arch::arm> const& slots, u32 type) {
    target_base<arch::arm>::prepare(state, slots, type);
    state.mixed = true; // what is linked is no Linux module
  }

  template <class Skipped>
  static void more(suite<arch::arm>& s, bool, Skipped const& skipped) {
    constexpr u8 function = elf::stt_func;
    constexpr u32 arm_end = 0x2000000, thumb_end = 0x1000000;
    struct instruction {
      u32 type;
      u64 insn;
    };
    // ARM: the distance counts from P + 8, which the addend in the place says.
    auto arm = [&](instruction x, lies where, u64 distance, bool to_thumb, u64 a = 0 - u64{8}) {
      u64 const p = s.begin(x.type, where, "branch " + hex(x.insn) + " by " + hex(distance)) + 8;
      s.put(p, 4, x.insn | (a >> 2 & 0xffffff));
      s.add(p, x.type, s.symbol(p + distance - a + (to_thumb ? 1 : 0), function));
    };
    for (instruction x : {instruction{28, 0xeb000000},
                          {29, 0xea000000},
                          {29, 0x1b000000},
                          {1, 0xeb000000},
                          {27, 0xeb000000}}) {
      for (u64 d : {u64{0}, u64{4}, 0 - u64{8}, u64{0x123454}, u64{arm_end} - 4, u64{arm_end} - 8,
                    u64{4} - arm_end})
        arm(x, lies::inside, d, false);
      arm(x, lies::inside, 0x1000, false, 0);
      for (u64 d : {u64{arm_end}, 0 - u64{arm_end} - 4, u64{0x12345678}, 0 - u64{arm_end}})
        arm(x, lies::past, d, false);
    }
    // BL becomes BLX, whose H bit is bit 1 of the distance; BLX becomes BL.
    for (u64 d : {u64{0x100}, u64{0x102}, u64{arm_end} - 4, u64{arm_end} - 2, u64{2} - arm_end}) {
      arm({28, 0xeb000000}, lies::inside, d, true);
      arm({28, 0xfa000000}, lies::inside, d, true);
    }
    for (u64 d : {u64{0x100}, 0 - u64{0x100}})
      arm({28, 0xfa000000}, lies::inside, d, false);

    // Thumb: S:I1:I2:imm10:imm11:0 from P + 4.
    auto thumb = [&](u32 type, u64 insn, lies where, u64 distance, bool to_arm) {
      u64 const p = s.begin(type, where, "Thumb branch " + hex(insn) + " by " + hex(distance)) + 8 +
                    (s.random() & 2);
      s.put_halves(p, insn);
      u64 const target = p + distance + 4;
      s.add(p, type, s.symbol(to_arm ? target & ~u64{3} : target | 1, function));
    };
    // The addend -4.
    for (auto [type, insn] : {std::pair<u32, u64>{10, 0xf7fffffe}, {30, 0xf7ffbffe}}) {
      for (u64 d :
           {u64{0}, u64{2}, u64{0x123456}, 0 - u64{0x123456}, u64{thumb_end} - 4,
            u64{2} - thumb_end, u64{0x400000}, u64{0x800000}, 0 - u64{0x400002}, 0 - u64{0x800002}})
        thumb(type, insn, lies::inside, d, false);
      for (u64 d : {u64{thumb_end}, 0 - u64{thumb_end} - 2, 0 - u64{thumb_end}})
        thumb(type, insn, lies::past, d, false);
      thumb(type, insn, lies::edge, thumb_end - 2, false);
    }
    u64 const jump19 = with_value(reloc::find_rule<arch::arm>(51)->field, 0xf0008000, ~u64{3});
    for (u64 d : {u64{0}, u64{0x1234}, u64{0xffffe}, 0 - u64{0x100000}, u64{0x40000}, u64{0x80000},
                  0 - u64{0x40002}, 0 - u64{0x80002}})
      thumb(51, jump19 | 0x00400000, lies::inside, d, false);
    for (u64 d : {u64{0x100000}, 0 - u64{0x100002}, u64{0x123456}})
      thumb(51, jump19 | 0x00400000, lies::past, d, false);
    for (u64 d : {u64{0x100}, u64{0x104}, 0 - u64{0x104}, u64{thumb_end} - 8, u64{8} - thumb_end})
      thumb(10, 0xf7fffffe, lies::inside, d, true);

    // MOVT takes the upper half of the sum, its own addend not shifted.
    for (u32 type : {44u, 46u, 48u, 50u})
      for (u64 a : {u64{0}, u64{0x7fff}, 0 - u64{0x8000}, u64{0x1234}})
        for (u64 v : {u64{0}, u64{0xffff}, u64{0x10000}, u64{0x12348000}, u64{0xfffffff0}}) {
          bool const wide = type >= 48;
          u64 const p = s.begin(type, lies::inside, "MOVT " + hex(v) + " addend " + hex(a)) + 8;
          u64 const imm = a & 0xffff;
          if (wide)
            s.put_halves(p, 0xf2c00000 | (imm >> 12) << 16 | (imm >> 11 & 1) << 26 |
                                (imm >> 8 & 7) << 12 | (imm & 0xff));
          else
            s.put(p, 4, 0xe3400000 | (imm >> 12) << 16 | (imm & 0xfff));
          s.add(p, type, s.symbol(v - a + (type == 46 || type == 50 ? p : 0)));
        }
    // mov pc, Rm for bx Rm.
    for (int i = 0; i < 3 && !skipped(40); ++i) {
      u64 const p = s.begin(40, lies::inside, "V4BX") + 8;
      s.put(p, 4, 0xe12fff10 | (s.random() & 0xf));
      s.add(p, 40, s.symbol(0));
    }
    // Groups: eight bits of what is left, at an even position.
    for (u32 type : {57u, 58u, 59u, 60u, 61u, 4u, 62u, 63u, 64u, 65u, 66u, 67u, 68u, 69u}) {
      if (skipped(type))
        continue;
      bool const alu = type >= 57 && type <= 61, ldrs = type >= 64 && type <= 66, ldc = type >= 67;
      for (u64 v :
           {u64{0}, u64{4}, u64{0xfc}, u64{0x100}, u64{0x3fc}, u64{0x400}, u64{0xffc}, u64{0xff0},
            u64{0x1000}, u64{0xff000}, u64{0x12344}, u64{0x7fffffc}, u64{0x12345678}, 0 - u64{4},
            0 - u64{0xfc}, 0 - u64{0x1ff00}, 0 - u64{0x12345678}}) {
        u64 const insn = alu ? 0xe28f0000 : ldrs ? 0xe1cf00d0 : ldc ? 0xed9f0b00 : 0xe59f0000;
        add_place(s, type, lies::inside, 4, insn, v, 0, true);
      }
    }
    for (u32 type : {53u, 54u})
      for (u64 v : {u64{0}, u64{4}, u64{0xfff}, u64{0x1000}, 0 - u64{4}, 0 - u64{0xfff},
                    0 - u64{0x1000}, u64{0x123}}) {
        u64 const p = s.begin(type, v == 0x1000 || v == 0 - u64{0x1000} ? lies::past : lies::inside,
                              "Thumb literal by " + hex(v)) +
                      8 + (s.random() & 2);
        s.put_halves(p, type == 53 ? 0xf20f0000 : 0xf85f0000);
        s.add(p, type, s.symbol((p & ~u64{3}) + v));
      }
  }
};

bool arm(linker const& by) { return compare<arch::arm>(by); }

} // namespace kmodld::test::linkers
