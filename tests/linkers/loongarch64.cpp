// SPDX-License-Identifier: MIT
// LoongArch64 against lld (Debian 12 has no GNU ld for it): carries between PCALA's parts, calls of
// 38 bits, sums in place and ULEB128 pairs.
#include "linkers/compare.hpp"
#include "linkers/targets.hpp"

#include <kmodld/arch/loongarch64.hpp>

namespace kmodld::test::linkers {

template <>
struct target<arch::loongarch64> : target_base<arch::loongarch64> {
  static constexpr u64 base = 0x120000000;
  static constexpr u32 flags = 0x43; // LP64D, objects v1

  static std::vector<exception> exceptions() {
    return {
        {99,
         99,
         differs::stricter_there,
         {lies::inside},
         "Linux does not look at what 32_PCREL cuts off"},
    };
  }

  template <class State>
  static void prepare(State&, linkers_got<arch::loongarch64> const&, u32) {}
  static constexpr bool uses_got(u32 type) { return arch::loongarch64::takes_slot(type); }

  template <class Skipped>
  static void more(suite<arch::loongarch64>& s, bool, Skipped const& skipped) {
    // HI20 rounds by the sign of LO12; LO20 and HI12 complete what is left.
    std::vector<u64> near = {0,     4,     0x7fc,  0x7fd,   0x7ff,      0x800,
                             0x801, 0xfff, 0x1000, 0x12345, 0x7ffff7ff, 0x7ffff800};
    for (u64 in_page : {u64{0}, u64{0x7f0}, u64{0x800}, u64{0xff0}}) {
      u64 const here = s.base + s.bytes.size();
      u64 const start = ((here + 0xfff) & ~u64{0xfff}) + in_page;
      s.bytes.resize(s.bytes.size() + (start - here));
      for (u64 v : near)
        for (u64 sign : {u64{0}, u64{1}}) {
          u64 const distance = sign ? 0 - v : v;
          u64 const p = s.begin(71, lies::inside, "PCALA: distance " + hex(distance), 16);
          u32 const symbol = s.symbol(p + distance - 8);
          s.put(p, 4, 0x1a000004 | (s.random() & 0x1ffffe0));
          s.put(p + 4, 4, 0x02c00084 | (s.random() & 0x3ffc00));
          s.add(p, 71, symbol, 8);
          s.add(p + 4, 72, symbol, 8);
        }
    }
    // Far: pcalau12i, addi.d, lu32i.d, lu52i.d; the psABI lets the last two count from the first
    // (P of LO20 is 8 further, of HI12 12), Linux takes each one's own P.
    for (u64 far : {u64{0x1234567890}, u64{0x123456789abcdef0}, 0 - u64{0x80000800},
                    u64{0x80000000}, u64{0x7ffffffffffff000}, 0 - u64{0x123456789abcdef0}}) {
      u64 const p = s.begin(73, lies::inside, "PCALA64: S " + hex(far));
      u32 const symbol = s.symbol(far);
      s.put(p, 4, 0x1a000004);
      s.put(p + 4, 4, 0x02c0000c);
      s.put(p + 8, 4, 0x1600000c);
      s.put(p + 12, 4, 0x0300018c);
      s.add(p, 71, symbol, 8);
      s.add(p + 4, 72, symbol, 8);
      s.add(p + 8, 73, symbol, 8);
      s.add(p + 12, 74, symbol, 8);
    }
    // pcaddu18i and jirl: 38 bits, the lower part signed.
    u64 const end = u64{1} << 37, half = 0x20000;
    auto call = [&](lies where, u64 v) {
      u64 const p = add_place(s, 110, where, 4, 0x1e000001, v, 4, true);
      s.put(p + 4, 4, 0x4c000021);
    };
    for (u64 v : {u64{0}, u64{4}, half - 4, half, half + 4, 0 - half, 0 - half - 4, 2 * half - 4,
                  end - half - 4, 0 - end, 0 - end - half, u64{0x123456788}})
      call(lies::inside, v);
    for (u64 v : {end - half, end, 0 - end - half - 4, 3 * end})
      call(lies::past, v);
    call(lies::misaligned, 2);
    struct width_of {
      u32 add, sub;
      unsigned bytes;
    };
    for (width_of const& w :
         {width_of{47, 52, 1}, {48, 53, 2}, {50, 55, 4}, {51, 56, 8}, {105, 106, 1}})
      for (int i = 0; i < 6; ++i) {
        u64 const here = s.base + s.bytes.size();
        u64 const p = s.begin(w.sub, lies::inside, "a sum at " + hex(here), 32) + 7;
        s.put(p, w.bytes, s.random());
        s.add(p, w.add, s.symbol(here + (s.random() & 0xffff)), s.random() & 0xff);
        s.add(p, w.sub, s.symbol(here + (s.random() & 0xff)), s.random() & 0xff);
      }
    if (!skipped(107))
      for (u64 v : {u64{0}, u64{1}, u64{0x7f}, u64{0x80}, u64{0x3fff}, u64{0x1fffff}})
        for (unsigned length : {1u, 2u, 3u, 5u}) {
          bool const fits = v >> 7 * length == 0;
          u64 const p = s.begin(107, fits ? lies::inside : lies::past, "ULEB128 " + hex(v)) + 5;
          for (unsigned k = 0; k < length; ++k)
            s.put(p + k, 1, k + 1 < length ? 0x80 : 0);
          s.add(p, 107, s.symbol(s.base + 0x1000 + v), 4);
          s.add(p, 108, s.symbol(s.base + 0x1000), 4);
        }
  }
};

bool loongarch64(linker const& by) { return compare<arch::loongarch64>(by); }

} // namespace kmodld::test::linkers
