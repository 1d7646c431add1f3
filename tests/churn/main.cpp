// SPDX-License-Identifier: MIT
// churn N: N random loads and unloads in an arena. Of the last 500 the arena's work is to be
// counted by callgrind (`measured_` functions, see tests/instructions). Exit status 1 if one went
// wrong.
#include "hosted/module_churn.hpp"

#include <kmodld/hosted/mprotect.hpp>

#include <cstdlib>

using namespace kmodld;

namespace {

[[gnu::noinline]] memory_status measured_allocate(hosted::arena& a, memory_request const& request,
                                                  region& out) noexcept {
  return a.allocate(request, out);
}
[[gnu::noinline]] void measured_release(hosted::arena& a, memory_kind kind, region given) noexcept {
  a.release(kind, given);
}

struct counted_arena {
  hosted::arena& inner;
  bool counted = false;

  memory_status allocate(memory_request const& request, region& out) noexcept {
    return counted ? measured_allocate(inner, request, out) : inner.allocate(request, out);
  }
  void release(memory_kind kind, region given) noexcept {
    if (counted)
      measured_release(inner, kind, given);
    else
      inner.release(kind, given);
  }
};

} // namespace

int main(int argc, char** argv) {
  unsigned const steps = argc == 2 ? static_cast<unsigned>(std::atoi(argv[1])) : 0;
  if (steps == 0)
    return 2;
  hosted::arena arena{{.size = u64{384} << 20}};
  hosted::mprotect_protector protector{arena, hosted::settles::later};
  counted_arena memory{arena};
  test::module_churn<counted_arena, hosted::mprotect_protector> modules{
      memory, protector, arena.range(), arena.page_size()};
  for (unsigned i = 0; i < steps; ++i) {
    memory.counted = i + 500 >= steps;
    modules.step();
  }
  return modules.refused() == 0 && modules.mistakes() == 0 ? 0 : 1;
}
