// SPDX-License-Identifier: MIT
// Paired timing: all variants run in every round, in turn; what counts is the median over the
// rounds of the ratio within a round. Absolute times of a shared machine mean little.
#pragma once

#include <algorithm>
#include <chrono>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

namespace kmodld::bench {

using seconds = double;

inline double median(std::vector<double> values) {
  if (values.empty())
    return 0;
  std::size_t const middle = values.size() / 2;
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(middle));
  return values[middle];
}

/// Seconds of processor time that this thread needs for f(), the system's share included: what
/// others do on the machine is not counted.
template <class F>
seconds time_of(F&& f) {
  auto const now = [] {
    std::timespec t;
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<seconds>(t.tv_sec) + static_cast<seconds>(t.tv_nsec) * 1e-9;
  };
  seconds const start = now();
  f();
  return now() - start;
}

/// Seconds that f() takes by the clock on the wall, for several threads.
template <class F>
seconds wall_time_of(F&& f) {
  auto const start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<seconds>(std::chrono::steady_clock::now() - start).count();
}

/// One way to do the work: run() answers the seconds of what is measured, preparation apart.
struct variant {
  std::string name;
  std::function<seconds()> run;
};

struct timing {
  std::string name;
  std::vector<seconds> rounds;

  seconds middle() const { return median(rounds); }
  seconds least() const { return rounds.empty() ? 0 : *std::ranges::min_element(rounds); }
};

/// Median over the rounds of a's time by b's.
inline double ratio(timing const& a, timing const& b) {
  std::vector<double> each;
  for (std::size_t i = 0; i < a.rounds.size() && i < b.rounds.size(); ++i)
    each.push_back(a.rounds[i] / b.rounds[i]);
  return median(each);
}

/// Each round begins with another variant, since who comes first may find other caches.
inline std::vector<timing> run_rounds(std::vector<variant> const& variants, int rounds) {
  std::vector<timing> out;
  for (variant const& v : variants)
    out.push_back({v.name, {}});
  for (int round = 0; round < rounds; ++round)
    for (std::size_t k = 0; k < variants.size(); ++k) {
      std::size_t const v = (k + static_cast<std::size_t>(round)) % variants.size();
      out[v].rounds.push_back(variants[v].run());
    }
  // Rounds are compared by their number.
  return out;
}

inline timing const& of(std::vector<timing> const& all, std::string const& name) {
  return *std::ranges::find(all, name, &timing::name);
}

} // namespace kmodld::bench
