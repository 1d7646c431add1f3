// SPDX-License-Identifier: MIT
// Paired runs: kmodld and what could be taken instead, in one process, round by round. Prints a
// table and for each goal a line `GOAL name value target ok|miss`; writes both as JSON.
#include "parts.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <map>

using namespace kmodld::bench;

int main(int argc, char** argv) {
  run_options o;
  std::vector<std::string> wanted;
  std::string json;
  CLI::App app{"kmodld against its peers"};
  app.add_option("--amd64", o.amd64, "where Debian's kernel package is unpacked")->required();
  app.add_option("--arm64", o.arm64, "likewise, of arm64");
  app.add_option("--riscv64", o.riscv64, "likewise, of riscv64");
  app.add_option("--rounds", o.rounds, "rounds of a comparison")->check(CLI::Range(1, 10000));
  app.add_option("--json", json, "file for the figures");
  app.add_option("part", wanted, "loops, other-loops, lookup, link, threads, llvm, dlopen");
  CLI11_PARSE(app, argc, argv);

  o.scratch = std::filesystem::temp_directory_path() / fmt::format("kmodld-bench-{}", ::getpid());
  std::filesystem::create_directories(o.scratch);
  report out;
  int status = 0;
  try {
    auto const all = read_modules(o.amd64);
    std::pair<char const*, std::function<void()>> const parts[] = {
        {"loops", [&] { measure_loops(out, all, o); }},
        {"other-loops", [&] { measure_other_loops(out, o); }},
        {"lookup", [&] { measure_lookup(out, all, o); }},
        {"link", [&] { measure_link(out, all, o); }},
        {"threads", [&] { measure_threads(out, all, o); }},
        {"llvm", [&] { measure_llvm(out, all, o); }},
        {"dlopen", [&] { measure_dlopen(out, all, o); }},
    };
    for (auto const& [name, run] : parts)
      if (wanted.empty() || std::ranges::find(wanted, name) != wanted.end())
        run();
  } catch (std::exception const& e) {
    fmt::print(stderr, "{}\n", e.what());
    status = 1;
  }
  std::filesystem::remove_all(o.scratch);
  out.print();
  if (!json.empty())
    out.write_json(json);
  return status;
}
