// SPDX-License-Identifier: MIT
// verify's worker processes: every job is judged once, also where some die.
#include "verify/workers.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <sys/resource.h>

using namespace kmodld::verify;

namespace {

job_result numbered(std::size_t i) {
  return {i % 3 == 0 ? verdict::skipped : verdict::passed,
          {std::to_string(i), std::string(i * 1000, 'x')}};
}

} // namespace

TEST_CASE("results come in order, whatever the number of processes") {
  for (unsigned processes : {0u, 1u, 2u, 7u, 64u}) {
    std::vector<job_result> results = workers{40, processes, numbered}();
    REQUIRE(results.size() == 40);
    for (std::size_t i = 0; i < 40; ++i) {
      CHECK(results[i].status == numbered(i).status);
      CHECK(results[i].lines == numbered(i).lines);
    }
  }
}

TEST_CASE("no jobs") { CHECK(workers{0, 4, numbered}().empty()); }

TEST_CASE("a job that dies or throws has failed, the others go on") {
  auto job = [](std::size_t i) -> job_result {
    if (i == 3 || i == 4 || i == 11) {
      rlimit none{0, 0};
      setrlimit(RLIMIT_CORE, &none);
      raise(SIGKILL);
    }
    if (i == 5)
      _exit(9);
    if (i == 6)
      throw std::runtime_error("said so");
    return {verdict::passed, {}};
  };
  for (unsigned processes : {1u, 3u}) {
    std::vector<job_result> results = workers{12, processes, job}();
    for (std::size_t i = 0; i < results.size(); ++i) {
      CAPTURE(i);
      bool dies = i == 11 || (i >= 3 && i <= 6);
      CHECK(results[i].status == (dies ? verdict::failed : verdict::passed));
    }
    CHECK(results[3].lines.at(0) == "crashed: Killed");
    CHECK(results[5].lines.at(0) == "crashed: exit status 9");
    CHECK(results[6].lines.at(0) == "said so");
  }
}
