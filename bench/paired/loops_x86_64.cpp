// SPDX-License-Identifier: MIT
#include "linux_loop.hpp"
#include "loops.hpp"
#include "parts.hpp"

namespace kmodld::bench {
namespace {

using arch_type = arch::x86_64;
using object = prepared<arch_type>;
constexpr u64 module_base = 0xffffffffc0000000;

std::vector<loop<arch_type>> all_loops() {
  auto loops = common_loops<arch_type>();
  auto const linux = [](auto loop_of) {
    return [loop_of](object& o) {
      for (auto const& s : o.sections)
        if (loop_of(s.in, o.symtab.data()) != 0)
          throw std::runtime_error("Linux's loop refused a module");
    };
  };
  loops.push_back({"Linux, write through a pointer", linux(linux_loop_pointer)});
  loops.push_back({"Linux, fully inlined", linux(linux_loop_inlined)});
  return loops;
}

void same_bytes(std::vector<std::unique_ptr<object>>& set) {
  auto const loops = all_loops();
  for (auto& o : set) {
    o->restore();
    loops[1].run(*o);
    u64 const ours = o->checksum();
    for (std::size_t l : {2, 3}) {
      o->restore();
      loops[l].run(*o);
      if (o->checksum() != ours)
        throw std::runtime_error("Linux's loop and kmodld's differ");
    }
  }
}

/// Goals of a set: to the roofline, cold and warm.
struct limits {
  char const* name;
  double cold, cold_aim, warm, warm_aim;
};
constexpr limits sets[] = {{"xfs", 1.5, 1.3, 2.3, 1.7},
                           {"i915", 1.8, 1.4, 2.8, 1.9},
                           {"amdgpu", 1.8, 1.4, 2.1, 1.5},
                           {"all", 2.0, 1.6, 2.5, 1.8}};

} // namespace

void measure_loops(report& out, std::vector<module_file> const& all, run_options const& o) {
  auto const loops = all_loops();
  for (limits const& set : sets) {
    bool const whole = std::string_view{set.name} == "all";
    pages memory{std::size_t{whole ? 320u : 24u} << 20};
    std::vector<std::unique_ptr<object>> objects;
    double count = 0;
    auto const add = [&](module_file const& file) {
      objects.push_back(std::make_unique<object>(file, module_base, memory));
      count += static_cast<double>(objects.back()->count);
    };
    if (whole)
      for (module_file const& file : all)
        add(file);
    else
      add(named(all, set.name));
    same_bytes(objects);
    for (bool cold : {false, true}) {
      auto const times = time_loops(objects, loops, whole ? (o.rounds + 2) / 3 : o.rounds, cold);
      std::string const state = cold ? "cold" : "warm";
      out.add("relocation loop, " + std::string(set.name) + ", " + state, times, count,
              "ns/relocation");
      timing const& ours = times[1];
      out.at_most("loop-to-roofline-" + state + "-" + set.name, ratio(ours, times[0]),
                  cold ? set.cold : set.warm, cold ? set.cold_aim : set.warm_aim);
      out.at_least("linux-pointer-to-loop-" + state + "-" + set.name, ratio(times[2], ours),
                   cold ? 2.0 : 2.7, cold ? 3 : 4);
      out.at_least("linux-inlined-to-loop-" + state + "-" + set.name, ratio(times[3], ours),
                   cold ? 1.3 : 1.5, cold ? 1.8 : 2.2);
    }
  }
}

} // namespace kmodld::bench
