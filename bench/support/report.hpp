// SPDX-License-Identifier: MIT
// What a run found out: figures in groups, and the goals they meet or miss.
#pragma once

#include "rounds.hpp"

#include <string>
#include <vector>

namespace kmodld::bench {

/// `at_least` goals are met by what is not smaller, others by what is not larger.
struct goal {
  std::string name;
  double value;
  double must;
  double aim; ///< the same as must where there is none
  bool at_least;

  bool met() const { return at_least ? value >= must : value <= must; }
  bool reached() const { return at_least ? value >= aim : value <= aim; }
};

struct figure {
  std::string group, name, unit;
  double value;
  double ratio = 0; ///< to the group's baseline; 0: none
};

class report {
public:
  void add(figure f) { figures_.push_back(std::move(f)); }
  /// One line a variant: time by `count` in nanoseconds, and the ratio to the first.
  void add(std::string const& group, std::vector<timing> const& all, double count,
           std::string const& unit);
  void at_most(std::string const& name, double value, double must, double aim) {
    goals_.push_back({name, value, must, aim, false});
  }
  void at_least(std::string const& name, double value, double must, double aim) {
    goals_.push_back({name, value, must, aim, true});
  }
  void note(std::string line) { notes_.push_back(std::move(line)); }

  /// The table, the notes, and for each goal `GOAL name value target ok|miss`.
  void print() const;
  void write_json(std::string const& path) const;
  bool all_met() const;

private:
  std::vector<figure> figures_;
  std::vector<goal> goals_;
  std::vector<std::string> notes_;
};

} // namespace kmodld::bench
