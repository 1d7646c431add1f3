// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <fmt/core.h>
#include <fstream>
#include <nlohmann/json.hpp>

namespace kmodld::bench {

void report::add(std::string const& group, std::vector<timing> const& all, double count,
                 std::string const& unit) {
  for (timing const& t : all)
    add({group, t.name, unit, t.middle() * 1e9 / count, ratio(t, all.front())});
}

void report::print() const {
  std::string group;
  for (figure const& f : figures_) {
    if (f.group != group)
      fmt::print("\n{}\n", group = f.group);
    fmt::print("  {:<44} {:>12.3f} {:<18}", f.name, f.value, f.unit);
    if (f.ratio != 0)
      fmt::print(" {:>8.2f} x", f.ratio);
    fmt::print("\n");
  }
  fmt::print("\n");
  for (std::string const& line : notes_)
    fmt::print("{}\n", line);
  for (goal const& g : goals_)
    fmt::print("GOAL {} {:.3g} {}{:.3g} {}{}\n", g.name, g.value, g.at_least ? ">=" : "<=", g.must,
               g.met() ? "ok" : "miss", g.reached() && g.aim != g.must ? " (aim)" : "");
}

void report::write_json(std::string const& path) const {
  nlohmann::ordered_json out;
  out["figures"] = nlohmann::ordered_json::array();
  for (figure const& f : figures_)
    out["figures"].push_back({{"group", f.group},
                              {"name", f.name},
                              {"unit", f.unit},
                              {"value", f.value},
                              {"ratio", f.ratio}});
  out["goals"] = nlohmann::ordered_json::array();
  for (goal const& g : goals_)
    out["goals"].push_back({{"name", g.name},
                            {"value", g.value},
                            {"must", g.must},
                            {"aim", g.aim},
                            {"at_least", g.at_least},
                            {"met", g.met()}});
  out["notes"] = notes_;
  std::ofstream{path} << out.dump(1) << "\n";
}

bool report::all_met() const {
  return std::ranges::all_of(goals_, [](goal const& g) { return g.met(); });
}

} // namespace kmodld::bench
