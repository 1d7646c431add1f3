// SPDX-License-Identifier: MIT
// The parts of the paired run, one file each.
#pragma once

#include "../support/corpus.hpp"
#include "../support/report.hpp"

#include <kmodld/hosted/mprotect.hpp>

#include <filesystem>

namespace kmodld::bench {

struct run_options {
  int rounds = 31;
  std::filesystem::path amd64;   ///< where Debian's kernel package is unpacked
  std::filesystem::path arm64;   ///< likewise; empty: not measured
  std::filesystem::path riscv64; ///< likewise
  std::filesystem::path scratch; ///< a directory for files that are made
};

/// Of an arena before a run: the system has given none of its pages; all of them, still zero; all,
/// and other modules have been there.
enum class memory_state { fresh, populated, used };

/// One whole link of all modules, for comparison with others.
std::function<seconds()> whole_link(std::vector<module_file> const& all, run_options const& o,
                                    memory_state state,
                                    hosted::settles when = hosted::settles::later);
/// The same without look-up and relocation: what no linker that places and copies can go below.
std::function<seconds()> whole_copy(std::vector<module_file> const& all, run_options const& o,
                                    memory_state state);

void measure_loops(report& out, std::vector<module_file> const& all, run_options const& o);
void measure_other_loops(report& out, run_options const& o);
void measure_lookup(report& out, std::vector<module_file> const& all, run_options const& o);
void measure_link(report& out, std::vector<module_file> const& all, run_options const& o);
void measure_threads(report& out, std::vector<module_file> const& all, run_options const& o);
void measure_llvm(report& out, std::vector<module_file> const& all, run_options const& o);
void measure_dlopen(report& out, std::vector<module_file> const& all, run_options const& o);

} // namespace kmodld::bench
