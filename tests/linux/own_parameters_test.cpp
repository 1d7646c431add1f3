// SPDX-License-Identifier: MIT
// Parameters of a module's own type in examples/linux_like: where its operations lie is the file's
// choice.
#include "../../examples/linux_like/own_parameters.hpp"
#include "fake_module.hpp"

#include <doctest/doctest.h>

using namespace kmodld;

namespace linux_like {
// Code of this test does not fault.
bool run_guarded(const std::function<void()>& code, std::string&) {
  code();
  return true;
}
} // namespace linux_like

namespace {

std::string set_to;
void* freed = nullptr;

int set_it(char const* value, void const*) {
  set_to = value;
  return 0;
}
int get_it(char* page, void const*) {
  std::memcpy(page, "shown", 5);
  return 5;
}
void free_it(void* argument) { freed = argument; }

/// struct kernel_param_ops of Linux 6.1.
struct operations {
  unsigned flags;
  int (*set)(char const* value, void const* parameter);
  int (*get)(char* page, void const* parameter);
  void (*free)(void* argument);
};

} // namespace

TEST_CASE("linux_like: operations of parameters are called wherever they lie") {
  test::fake_module<elf::elf64_le> f;
  linux_like::guarded_invoker invoker;
  linux_like::own_parameters parameters{invoker};
  for (u64 shift = 0; shift < 8; ++shift) {
    CAPTURE(shift);
    f.reserve(8);
    kernel_param p;
    p.ops = f.reserve(sizeof(operations) + 8) + shift;
    p.arg = {0x1234};
    operations const ops{1, set_it, get_it, free_it};
    std::memcpy(f.host(p.ops), &ops, sizeof ops);
    set_to.clear();
    freed = nullptr;
    CHECK(parameters.set(f.m, p, "text") == 0);
    CHECK(set_to == "text");
    char out[16];
    CHECK(parameters.get(f.m, p, out) == 5);
    CHECK(std::string_view{out, 5} == "shown");
    CHECK(parameters.no_argument(f.m, p));
    parameters.free(f.m, p);
    CHECK(freed == reinterpret_cast<void*>(0x1234));
  }
  kernel_param elsewhere;
  elsewhere.ops = {f.end().value - (sizeof(operations) - 1)};
  CHECK(parameters.set(f.m, elsewhere, "text") == e_opnotsupp);
  CHECK_FALSE(parameters.no_argument(f.m, elsewhere));
}
