// SPDX-License-Identifier: MIT
// The relocation loops: kmodld's with all checks, the roofline, Linux's.
#pragma once

#include "../support/report.hpp"
#include "prepared.hpp"

namespace kmodld::bench {

/// The roofline: reads the stream of relocations and writes a word at each place, and that is all.
/// No check, no look at the type, so the bytes are not right where the type is not S + A - P.
template <class Arch>
[[gnu::noinline]] void roofline(section_relocations<typename Arch::relocation> const& in,
                                u64 const* values) {
  std::byte* const bytes = in.bytes.data();
  u64 const target = in.place.value;
  auto const* r = in.relocations.data();
  auto const* const end = r + in.relocations.size();
  auto const one = [&](typename Arch::relocation const& x) {
    u64 const offset = x.r_offset;
    auto const word =
        static_cast<u32>(values[Arch::symbol_of(x)] + Arch::addend_of(x) - offset - target);
    std::memcpy(bytes + offset, &word, sizeof word);
  };
  for (; end - r >= 4; r += 4) {
    one(r[0]);
    one(r[1]);
    one(r[2]);
    one(r[3]);
  }
  for (; r != end; ++r)
    one(*r);
}

template <class Arch>
struct loop {
  std::string name;
  std::function<void(prepared<Arch>&)> run;
};

template <class Arch>
[[gnu::noinline]] void kmodld_loop(prepared<Arch>& object) {
  // One state and one error for all sections, as in a loader.
  symbol_values const values{object.values};
  typename Arch::state state{};
  error e;
  for (auto const& s : object.sections)
    if (relocate<Arch>(s.in, values, state, e) != errc::ok)
      throw std::runtime_error("kmodld refused a module");
}

template <class Arch>
std::vector<loop<Arch>> common_loops() {
  return {{"roofline",
           [](prepared<Arch>& object) {
             for (auto const& s : object.sections)
               roofline<Arch>(s.in, object.values.data());
           }},
          {"kmodld, all checks", kmodld_loop<Arch>}};
}

/// Runs the loops over a set of modules, each module by itself: warm (just copied, all just read)
/// or cold (in no cache).
template <class Arch>
std::vector<timing> time_loops(std::vector<std::unique_ptr<prepared<Arch>>>& set,
                               std::vector<loop<Arch>> const& loops, int rounds, bool cold) {
  std::vector<variant> variants;
  for (auto const& l : loops)
    variants.push_back({l.name, [&set, &l, cold] {
                          u64 sum = 0;
                          for (auto& object : set) {
                            object->restore();
                            cold ? object->cool() : object->warm();
                            u64 const start = ticks();
                            l.run(*object);
                            sum += ticks() - start;
                          }
                          return static_cast<double>(sum) * seconds_per_tick();
                        }});
  return run_rounds(variants, rounds);
}

} // namespace kmodld::bench
