// SPDX-License-Identifier: MIT
// 64-bit Power, both byte orders, against its linkers: @ha and @l with their carries, the TOC,
// local entries, prefixed instructions.
#include "linkers/compare.hpp"
#include "linkers/targets.hpp"

#include <kmodld/arch/powerpc64.hpp>

namespace kmodld::test::linkers {

template <class Arch>
struct powerpc_target : target_base<Arch> {
  static constexpr u64 base = 0x10000000000;
  static constexpr u32 flags = 2;

  /// The half of an instruction that has the immediate.
  static constexpr u64 within(rule const& r) {
    return !Arch::is_little && r.field.bytes == 2 ? 2 : 0;
  }
  static extras<Arch> object(bool) {
    extras<Arch> x;
    x.flags = flags;
    x.asked = {".TOC."};
    x.options = "--no-toc-optimize ";
    return x;
  }
  static u64 insn(u32 type, u64 random) {
    switch (type) {
    case 2: return 0x48000002 | (random & 1); // ba, bla
    case 7: return 0x41820002;                // beqa
    case 8:
    case 9: return 0x40000002; // the hint of BRTAKEN is not for instructions without one
    case 11: return 0x41820000 | (random & 1);
    case 12:
    case 13: return 0x40000000;
    default: return random;
    }
  }

  static std::vector<exception> exceptions() {
    constexpr char const* bits = "BFD takes values whose upper bits are all equal";
    constexpr char const* absent = "lld has no such type";
    constexpr char const* asserts = "GNU ld 2.40 fails an assertion for absolute symbols";
    std::vector<exception> out = {
        {8, 9, differs::unknown_there, {}, asserts, true, false},
        {11, 13, differs::unknown_there, {}, asserts, true, false},
        {1, 1, differs::stricter_there, {lies::inside}, "Linux cuts ADDR32 off"},
        {3,
         3,
         differs::stricter_there,
         {lies::inside},
         "GNU ld takes ADDR16 to be signed",
         true,
         false},
        {25,
         25,
         differs::stricter_there,
         {lies::inside},
         "GNU ld takes UADDR16 to be signed",
         true,
         false},
        {2, 2, differs::stricter_here, {lies::past, lies::misaligned}, bits, true, false},
        {7,
         7,
         differs::stricter_here,
         {lies::misaligned},
         "GNU ld drops the low bits of ADDR14",
         true,
         false},
        {24, 24, differs::stricter_here, {lies::past}, bits, true, false},
        {252,
         252,
         differs::stricter_there,
         {lies::inside},
         "Linux does not look at what REL16_HA cuts off"},
        {10, 11, differs::stricter_here, {lies::past}, "lld makes a thunk", false, true},
    };
    for (u32 type : {2u,   7u,   8u,   9u,   12u,  13u,  24u,  25u,  43u,  111u, 128u,
                     129u, 130u, 131u, 240u, 241u, 242u, 243u, 244u, 245u, 246u, 249u})
      out.push_back({type, type, differs::unknown_there, {}, absent, false, true});
    return out;
  }

  template <class State>
  static void prepare(State& state, linkers_got<Arch> const& slots, u32 type) {
    target_base<Arch>::prepare(state, slots, type);
    state.toc = {slots.toc};
  }

  template <class Skipped>
  static void more(suite<Arch>& s, bool lld, Skipped const& skipped) {
    // GNU ld would put stubs before the section, and everything would stand elsewhere.
    bool const stubs = lld;
    u64 const half = 0x8000;
    // Halves, rounded by the sign of what is below them.
    for (u32 type : {6u, 40u, 42u, 111u, 241u, 243u, 245u, 252u}) {
      if (skipped(type))
        continue;
      bool const relative = type >= 240;
      for (u64 v : {u64{0}, half - 1, half, half + 1, 2 * half - 1, 2 * half, 0 - half,
                    0 - half - 1, u64{0x7fff7fff}, u64{0x12348000}, 0 - (u64{1} << 31)})
        add_place(s, type, lies::inside, 2, s.random(), v, 16, relative);
      bool const bounded = type == 6;
      for (u64 v : {u64{0x7fff8000}, u64{0x80000000}, 0 - (u64{1} << 31) - half - 1,
                    u64{0x1234567890abcdef}, u64{0x12347fff80007fff}, u64{0x7fffffffffff8000}})
        add_place(s, type, bounded ? lies::past : lies::inside, 2, s.random(), v, 16, relative);
    }
    if (!skipped(246))
      for (u64 v :
           {u64{0}, half - 1, half, u64{0x12348000}, u64{0x7fff7fff}, 0 - (u64{1} << 31) - half})
        add_place(s, 246, lies::inside, 4, 0x4c000004 | (s.random() & 0x03e00000), v, 4, true);
    if (!skipped(131))
      for (u64 v : {u64{0}, u64{1} << 33, (u64{1} << 33) - 1, u64{0x123456789abcdef0}, ~u64{0}})
        add_place(s, 131, lies::inside, 8, prefixed(0x06000000, 0x38600000), v, 0, false);
    // Calls: to the local entry, which st_other tells.
    for (u64 other : {u64{0}, u64{0x40}, u64{0x60}, u64{0x80}, u64{0xc0}}) {
      u64 const local = (u64{1} << (other >> 5)) >> 2 << 2;
      u64 const end = 0x2000000;
      for (u64 v : {u64{0x100}, local - end, end - 4, 0 - u64{4}, u64{0x12345c}}) {
        u64 const p = s.begin(10, lies::inside, "REL24: value " + hex(v)) + 8;
        s.put(p, 4, 0x48000001);
        s.put(p + 4, 4, 0x60000000);
        s.add(p, 10, s.symbol(p + v - local, 2, static_cast<u8>(other)));
      }
    }
    for (u64 v : {u64{0x2000000}, 0 - u64{0x2000004}, u64{0x12345678}}) {
      if (!stubs)
        continue;
      u64 const p = s.begin(10, lies::past, "REL24: value " + hex(v)) + 8;
      s.put(p, 4, 0x48000001);
      s.put(p + 4, 4, 0x60000000);
      s.add(p, 10, s.symbol(p + v, 2, 0));
    }
    // The TOC: .got lies 64 KiB aligned behind .text; its pointer 0x8000 further.
    u64 const toc = s.base + 0x18000;
    for (u32 type : {47u, 48u, 49u, 50u, 63u, 64u})
      for (u64 v : {u64{0}, u64{4}, half - 4, 0 - half, 0 - u64{4}}) {
        if (skipped(type))
          continue;
        u64 const p = add_place(s, type, lies::inside, 2, s.random(), toc + v, 8, false);
        static_cast<void>(p);
      }
    for (int i = 0; i < 2; ++i) {
      u64 const p = s.begin(51, lies::inside, "TOC") + 8;
      s.put(p, 8, s.random());
      s.add(p, 51, 0);
    }
    for (u32 type : {14u, 15u, 16u, 17u, 58u, 59u})
      if (!skipped(type))
        for (int i = 0; i < 3; ++i)
          add_place(s, type, lies::inside, 2, 0, s.base + 0x200000 + (s.random() & 0xfff0), 0,
                    false);
  }

private:
  static constexpr u64 prefixed(u64 prefix, u64 suffix) {
    return Arch::is_little ? suffix << 32 | prefix : prefix << 32 | suffix;
  }
};

template <>
struct target<arch::powerpc64le> : powerpc_target<arch::powerpc64le> {};
template <>
struct target<arch::powerpc64> : powerpc_target<arch::powerpc64> {};

bool powerpc64le(linker const& by) { return compare<arch::powerpc64le>(by); }
bool powerpc64(linker const& by) { return compare<arch::powerpc64>(by); }

} // namespace kmodld::test::linkers
