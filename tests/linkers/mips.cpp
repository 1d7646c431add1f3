// SPDX-License-Identifier: MIT
// MIPS, n64 and o32 in both byte orders, against their linkers: rounded halves, several HI16 for
// one LO16, jumps within 256 MiB, gp.
#include "linkers/compare.hpp"
#include "linkers/targets.hpp"

#include <kmodld/arch/mips.hpp>

namespace kmodld::test::linkers {

template <class Arch>
struct mips_target : target_base<Arch> {
  static constexpr bool wide = Arch::wide;
  static constexpr u64 base = wide ? 0x120000000 : 0x20000000;
  static constexpr u32 flags = wide ? 0x80000001 : 0x70001001; // r2

  static extras<Arch> object(bool) {
    extras<Arch> x;
    x.flags = flags;
    x.script = "  . = ALIGN(16);\n  _gp = . + 0x7ff0;\n";
    return x;
  }

  static u64 insn(u32 type, u64 random) {
    switch (type) {
    case 10: return 0x10000000 | (random & 0x03ffffff); // beq
    case 60: return 0xd8000000 | (random & 0x03ffffff); // beqzc
    case 61: return 0xc8000000;                         // bc
    case 63: return 0xec000000 | (random & 0x03e00000); // addiupc
    default: return random;
    }
  }

  static std::vector<exception> exceptions() {
    std::vector<exception> out = {
        {1, 1, differs::unknown_there, {}, "lld has no R_MIPS_16", false, true},
        {4,
         4,
         differs::stricter_here,
         {lies::past},
         "lld does not look where a jump leads",
         false,
         true},
    };
    if (wide)
      out.push_back({248, 248, differs::stricter_here, {lies::past}, "linkers cut PC32 off"});
    return out;
  }

  template <class State>
  static void prepare(State& state, linkers_got<Arch> const& slots, u32 type) {
    if (Arch::needs_of(type) == 0 || type == 4 || type == 61)
      return;
    slots.lend(state);
    state.got = {slots.gp - Arch::gp_bias};
  }

  template <class Skipped>
  static void more(suite<Arch>& s, bool, Skipped const& skipped) {
    u64 const region = s.base & ~u64{0xfffffff};
    auto jump = [&](lies where, u64 to, u64 a) {
      u64 const p = s.begin(4, where, "R_MIPS_26 to " + hex(to)) + 8;
      s.put(p, 4, 0x0c000000 | (wide ? s.random() & 0x3ffffff : a >> 2 & 0x3ffffff));
      s.add(p, 4, s.symbol(to - a), a);
    };
    for (u64 a : {u64{0}, u64{8}, 0 - u64{16}}) {
      for (u64 to : {region, region + 4, region + 0xffffffc, region + 0x1234560})
        jump(lies::inside, to, a);
      for (u64 to : {region - 4, region + 0x10000000, region + 0x50000000})
        jump(lies::past, to, a);
    }
    std::vector<u64> values = {0,          0x7fff,     0x8000,     0x8001,
                               0xffff,     0x10000,    0x12347fff, 0x12348000,
                               0x7fff8000, 0xffff7fff, 0xffff8000, 0xfffffff0};
    if constexpr (wide) {
      for (u64 v : {u64{0x7fff80000000}, u64{0x7fff7fffffff}, u64{0x123480008000},
                    u64{0x7fffffffffff7fff}, u64{0x12347fff7fff8000}, 0 - u64{0x80008000}})
        values.push_back(v);
      for (u32 type : {5u, 6u, 28u, 29u})
        for (u64 v : values)
          add_place(s, type, lies::inside, 4, 0x3c040000 | (s.random() & 0xffff), v, 24, false);
      for (u32 type : {7u, 12u, 256u, 257u, 258u})
        for (u64 v : {u64{0}, u64{0x10}, u64{0x1230}, 0 - u64{0x20}})
          if (!skipped(type))
            add_place(s, type, lies::inside, type == 258 ? 8 : 4,
                      type == 12 || type == 258 ? 0 : 0x27840000, s.base + 0x18000 + v, 8, false);
      for (u32 type : {9u, 11u, 19u})
        for (int i = 0; i < 3; ++i)
          if (!skipped(type))
            add_place(s, type, lies::inside, 4, 0xdf990000,
                      s.base + 0x200000 + (s.random() & 0xfff0), 0, false);
    } else {
      // One LO16 knows what is carried into all HI16 before it.
      for (u64 v : values)
        for (unsigned upper : {1u, 2u, 3u}) {
          u64 const p = s.begin(5, lies::inside, "HI16 and LO16 of " + hex(v));
          u64 const low = s.random() & 0xffff;
          u64 const a = (s.random() & 0xffff) << 16;
          u32 const symbol = s.symbol(v - ((low ^ 0x8000) - 0x8000) - a);
          for (unsigned i = 0; i < upper; ++i) {
            s.put(p + 4 * i, 4, 0x3c040000 | a >> 16);
            s.add(p + 4 * i, 5, symbol);
          }
          s.put(p + 4 * upper, 4, 0x24840000 | low);
          s.add(p + 4 * upper, 6, symbol);
          // Another LO16 of the same address has no HI16 of its own.
          s.put(p + 4 * upper + 4, 4, 0x8c850000 | low);
          s.add(p + 4 * upper + 4, 6, symbol);
        }
    }
  }
};

template <>
struct target<arch::mips64el> : mips_target<arch::mips64el> {};
template <>
struct target<arch::mips64> : mips_target<arch::mips64> {};
template <>
struct target<arch::mipsel> : mips_target<arch::mipsel> {};
template <>
struct target<arch::mips> : mips_target<arch::mips> {};

bool mips64el(linker const& by) { return compare<arch::mips64el>(by); }
bool mips64(linker const& by) { return compare<arch::mips64>(by); }
bool mipsel(linker const& by) { return compare<arch::mipsel>(by); }
bool mips(linker const& by) { return compare<arch::mips>(by); }

} // namespace kmodld::test::linkers
