// SPDX-License-Identifier: MIT
// m68k against GNU ld; lld does not know it.
#include "linkers/compare.hpp"
#include "linkers/targets.hpp"

#include <kmodld/arch/m68k.hpp>

namespace kmodld::test::linkers {

template <>
struct target<arch::m68k> : target_base<arch::m68k> {
  static constexpr u64 base = 0x80000000;

  static std::vector<exception> exceptions() {
    return {
        {2,
         3,
         differs::stricter_here,
         {lies::past},
         "BFD takes any 16 or 8 bits whose upper bits "
         "are all equal"},
    };
  }

  template <class State>
  static void prepare(State& state, linkers_got<arch::m68k> const& slots, u32 type) {
    target_base::prepare(state, slots, type);
    state.got_symbol = static_cast<u32>(slots.got_slot.size()); // behind the suite's
  }

  template <class Skipped>
  static void more(suite<arch::m68k>& s, bool, Skipped const&) {
    // The GOT itself, by the first of the symbols that are asked of the linker.
    for (u32 type : {7u, 8u, 9u})
      for (u64 a : {u64{0}, u64{2}, 0 - u64{6}, u64{0x1234}}) {
        u64 const p = s.begin(type, lies::inside, "the GOT, addend " + hex(a)) + 8;
        s.add(p, type, static_cast<u32>(s.symbols.size()), a);
      }
  }
};

bool m68k(linker const& by) { return compare<arch::m68k>(by); }

} // namespace kmodld::test::linkers
