// SPDX-License-Identifier: MIT
// Tracer: when each step of a load began and ended, and what was undone.
#pragma once

#include <kmodld/policy/tracer.hpp>

#include <chrono>
#include <span>
#include <string>
#include <vector>

namespace linux_like {

class recorder {
public:
  using clock = std::chrono::steady_clock;

  struct event {
    std::string_view name; ///< lives as long as the program
    clock::time_point begin, end;
    kmodld::errc result = kmodld::errc::ok;
    bool undo = false;
  };
  /// A load or an unload.
  struct run {
    std::string what; ///< begins with `load` or `unload`
    clock::time_point begin, end;
    std::vector<event> events;
  };

  /// Keep every run, not only the last load and what came after it.
  void keep_all() { keep_all_ = true; }

  void begin(bool load) {
    if (load && !keep_all_)
      runs_.clear();
    runs_.push_back({{}, clock::now(), {}, {}});
    under_way_ = true;
  }
  void end(std::string what) {
    runs_.back().what = std::move(what);
    runs_.back().end = clock::now();
    under_way_ = false;
  }
  std::span<const run> runs() const { return runs_; }

  int enter(std::string_view step) noexcept {
    if (under_way_)
      runs_.back().events.push_back({step, clock::now(), {}});
    return 0;
  }
  void leave(std::string_view, kmodld::errc result) noexcept {
    if (!under_way_)
      return;
    event& last = runs_.back().events.back();
    last.end = clock::now();
    last.result = result;
  }
  void undone(std::string_view action) noexcept {
    if (!under_way_)
      return;
    const clock::time_point now = clock::now();
    runs_.back().events.push_back({action, now, now, kmodld::errc::ok, true});
  }

private:
  bool keep_all_ = false;
  bool under_way_ = false; ///< what happens between runs (the end of the program) is nobody's
  std::vector<run> runs_;
};
static_assert(kmodld::tracer_policy<recorder>);

} // namespace linux_like
