// SPDX-License-Identifier: MIT
// RISC-V against its linkers: AUIPC with what completes it, several HI20 of one symbol, sums in
// place and ULEB128 pairs.
#include "linkers/compare.hpp"
#include "linkers/targets.hpp"

#include <kmodld/arch/riscv.hpp>

namespace kmodld::test::linkers {

template <int Bits>
struct riscv_target : target_base<arch::riscv<Bits>> {
  using arch_type = arch::riscv<Bits>;
  using suite_type = suite<arch_type>;
  static constexpr u64 base = Bits == 64 ? 0x2000000000 : 0x80000000;
  static constexpr u32 flags = Bits == 64 ? 5 : 1; // RVC, double
  static constexpr bool uses_got(u32 type) { return arch_type::takes_slot(type); }

  static u64 insn(u32, u64 random) { return random; }

  static std::vector<exception> exceptions() {
    std::vector<exception> out = {
        {59,
         61,
         differs::unknown_there,
         {},
         "GNU ld 2.40 is older than PLT32, SET and SUB_ULEB128",
         true,
         false},
    };
    if (Bits == 64)
      out.push_back(
          {57, 57, differs::stricter_here, {lies::past}, "GNU ld cuts 32_PCREL off", true, false});
    if (Bits == 64)
      out.push_back(
          {1, 1, differs::stricter_here, {lies::past}, "Linux refuses what R_RISCV_32 cuts off"});
    else
      out.push_back({57,
                     57,
                     differs::stricter_there,
                     {lies::inside},
                     "lld does not wrap at 4 GiB",
                     false,
                     true});
    return out;
  }

  template <class State>
  static void prepare(State&, linkers_got<arch_type> const&, u32) {}

  template <class Skipped>
  static void more(suite_type& s, bool lld, Skipped const& skipped) {
    u64 const end = u64{1} << 31, rounding = 0x800;
    std::vector<u64> inside = {0,
                               2,
                               0 - u64{2},
                               0x7fe,
                               0x800,
                               0x802,
                               0xffe,
                               0x1000,
                               0 - u64{0x800},
                               0 - u64{0x802},
                               0x12345678,
                               0x12345ffe,
                               0 - u64{0x12345802}};
    std::vector<u64> past;
    if (Bits == 64) {
      for (u64 v : {0 - end - rounding, 0 - end - 2, end - rounding - 2, 0 - end})
        inside.push_back(v);
      past = {0 - end - rounding - 2, end - rounding, end, 3 * end, 0 - 5 * end};
    }
    auto each = [&](u32 type, auto const& f) {
      if (skipped(type))
        return;
      for (u64 v : inside)
        f(type, lies::inside, v);
      for (u64 v : past)
        f(type, lies::past, v);
    };
    for (u32 type : {18u, 19u})
      each(type, [&](u32 t, lies where, u64 v) {
        u64 const p = add_place(s, t, where, 4, 0x97 | (s.random() & 0xfffff000), v, 4, true);
        s.put(p + 4, 4, 0x000080e7 | (s.random() & 0xfff00000));
      });
    each(26, [&](u32 t, lies where, u64 v) {
      add_place(s, t, where, 4, 0x000007b7 | (s.random() & 0xfffff000), v, 4, false);
    });
    for (u32 type : {59u})
      each(type, [&](u32 t, lies where, u64 v) {
        bool const fits = v + end < 2 * end || Bits == 32;
        static_cast<void>(where);
        add_place(s, t, fits ? lies::inside : lies::past, 4, 0, v, 4, true);
      });

    // An address of 32 bits in a word of 64: linkers do not wrap it, so it does not wrap here.
    if (Bits == 32)
      for (u64 v : {u64{0}, u64{4}, u64{0x7fffffff}, u64{0x80000000}, u64{0xfffffff0}})
        add_place(s, 2, lies::inside, 8, s.random(), v, 0, false);
    // PCREL: two AUIPC for one symbol, whose low parts stand apart, in both orders.
    each(23, [&](u32, lies where, u64 v) {
      u64 const p = s.begin(23, where, "PCREL_HI20: value " + hex(v), 48);
      u64 const insns[] = {0x00000517, 0x00000597, 0x00050513, 0x00b5a023, 0x00058593, 0x00a52023};
      for (unsigned i = 0; i < 6; ++i)
        s.put(p + 4 * i, 4, insns[i] | (i < 2 ? s.random() & 0xfffff000 : s.random() & 0xfe000f80));
      u32 const symbol = s.symbol(v + p - 4);
      u32 const first = s.label(p), second = s.label(p + 4);
      s.add(p, 23, symbol, 4);
      s.add(p + 4, 23, symbol, where == lies::inside && v != inside.back() ? 8 : 4);
      s.add(p + 8, 24, first);
      s.add(p + 12, 25, second);
      s.add(p + 16, 24, second);
      s.add(p + 20, 25, first);
    });

    // Sums in place.
    struct width_of {
      u32 add, sub, set;
      unsigned bytes;
    };
    for (width_of const& w : {width_of{33, 37, 54, 1},
                              {34, 38, 55, 2},
                              {35, 39, 56, 4},
                              {36, 40, 0, 8},
                              {0, 52, 53, 1}})
      for (int i = 0; i < 6; ++i) {
        u64 const here = s.base + s.bytes.size();
        u64 const p = s.begin(w.sub, lies::inside, "a sum at " + hex(here), 32) + 7;
        s.put(p, w.bytes, s.random());
        u32 const a = s.symbol(0x20000 + (s.random() & 0xffff)),
                  b = s.symbol(0x10000 + (s.random() & 0xff));
        u32 const first = i % 2 == 0 && w.set != 0 ? w.set : w.add;
        if (first != 0)
          s.add(p, first, a, s.random() & 0xff);
        // GNU ld 2.40 adds the addend of SUB.
        s.add(p, w.sub, b, lld ? s.random() & 0xff : 0);
      }
    // ULEB128: the number keeps its length.
    if (!skipped(60))
      for (u64 v : {u64{0}, u64{1}, u64{0x7f}, u64{0x80}, u64{0x3fff}, u64{0x4000}, u64{0x1fffff}})
        for (unsigned length : {1u, 2u, 3u, 5u}) {
          bool const fits = v >> 7 * length == 0;
          u64 const p = s.begin(60, fits ? lies::inside : lies::past, "ULEB128 " + hex(v)) + 5;
          for (unsigned k = 0; k < length; ++k)
            s.put(p + k, 1, k + 1 < length ? 0x80 : 0);
          s.add(p, 60, s.symbol(s.base + 0x1000 + v), 4);
          s.add(p, 61, s.symbol(s.base + 0x1000), 4);
        }
  }
};

template <>
struct target<arch::riscv64> : riscv_target<64> {};
template <>
struct target<arch::riscv32> : riscv_target<32> {};

bool riscv64(linker const& by) { return compare<arch::riscv64>(by); }
bool riscv32(linker const& by) { return compare<arch::riscv32>(by); }

} // namespace kmodld::test::linkers
