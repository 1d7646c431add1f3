// SPDX-License-Identifier: MIT
#include "loops.hpp"
#include "parts.hpp"

#include <kmodld/arch/aarch64.hpp>
#include <kmodld/arch/riscv.hpp>

namespace kmodld::bench {
namespace {

template <class Arch>
void measure(report& out, std::filesystem::path const& root, u64 base, int rounds) {
  std::string const name{Arch::name};
  if (root.empty()) {
    out.note("SKIPPED: loop of " + name + ": its kernel package is not here");
    return;
  }
  pages memory{std::size_t{64} << 20};
  std::vector<module_file> found;
  for (auto const& entry : std::filesystem::recursive_directory_iterator(root))
    if (entry.path().filename().string().starts_with("amdgpu.ko"))
      found = read_modules(entry.path().parent_path());
  std::vector<std::unique_ptr<prepared<Arch>>> objects;
  objects.push_back(std::make_unique<prepared<Arch>>(named(found, "amdgpu"), base, memory));
  auto const count = static_cast<double>(objects.back()->count);
  for (bool cold : {false, true}) {
    auto const times = time_loops(objects, common_loops<Arch>(), rounds, cold);
    std::string const state = cold ? "cold" : "warm";
    out.add("relocation loop, amdgpu of " + name + ", " + state, times, count, "ns/relocation");
    if (!cold)
      out.at_most("loop-to-roofline-warm-amdgpu-" + name, ratio(times[1], times[0]), 2.5, 1.8);
  }
}

} // namespace

void measure_other_loops(report& out, run_options const& o) {
  measure<arch::aarch64>(out, o.arm64, 0xffff800001000000, o.rounds);
  measure<arch::riscv64>(out, o.riscv64, 0xffffffff02000000, o.rounds);
}

} // namespace kmodld::bench
