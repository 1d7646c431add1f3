// SPDX-License-Identifier: MIT
// A test: the protector fails at one of two functions, having written nothing or a part, and the
// hypervisor's code must be what it was.
//   rollback PATCH.o        of patches/two.c, made for this program
#include "livepatch.hpp"

#include <kmodld/hosted/arena.hpp>
#include <kmodld/hosted/mprotect.hpp>

namespace {

/// Answers EIO to the n-th jump after writing some of its bytes.
struct failing_protector : kmodld::hosted::mprotect_protector {
  using mprotect_protector::mprotect_protector;
  int calls = 0, fails_at = 0;
  std::size_t written = 0;

  int patch(kmodld::address at, std::span<std::byte const> code) noexcept {
    if (++calls != fails_at)
      return mprotect_protector::patch(at, code);
    if (written != 0 && mprotect_protector::patch(at, code.first(written)) != 0)
      std::abort();
    return 5;
  }
};

using livepatches = hypervisor::livepatches<failing_protector>;
struct config {
  using arch = kmodld::arch::x86_64;
  using abi = kmodld::abi::linux_of<arch, kmodld::abi::plain>;
  using allocator = kmodld::hosted::arena&;
  using symbol_resolver = hypervisor::own_symbols const&;
  using protector = failing_protector&;
  using notifier = kmodld::no_notifier;
  using hooks = livepatches&;
  using invoker = kmodld::no_invoker;
  using verifier = kmodld::no_signatures;
};

void expect(bool good, char const* what) {
  if (!good) {
    std::printf("not so: %s\n", what);
    std::exit(1);
  }
}

} // namespace

int main(int argc, char** argv) {
  expect(argc == 2, "a patch is named");
  kmodld::hosted::arena memory{
      {.size = 1u << 20, .where = kmodld::hosted::placement::near_own_text(1u << 30)}};
  hypervisor::own_symbols symbols;
  failing_protector protector{memory};
  hypervisor::vcpus cpus{2};
  livepatches live{symbols, protector, cpus};
  kmodld::loader<config> patches{
      {.allocator = memory, .symbol_resolver = symbols, .protector = protector, .hooks = live}};

  std::ifstream in{argv[1], std::ios::binary};
  std::vector<char> const file{std::istreambuf_iterator<char>{in}, {}};
  auto const code = [&] {
    std::string bytes;
    for (char const* name : {"read_register", "refuse"})
      bytes.append(reinterpret_cast<char const*>(symbols.find(name)->value.value), 16);
    return bytes;
  };
  std::string const before = code();
  {
    auto const loaded = patches.load(std::as_bytes(std::span{file}), {}, {.name = "two"});
    expect(static_cast<bool>(loaded), "the patch is good");
    for (int function : {1, 2})
      for (std::size_t written : {0u, 1u, 4u, 5u}) {
        protector.calls = 0;
        protector.fails_at = function;
        protector.written = written;
        expect(live.apply(patches.find("two")) == 5, "apply answers the protector's errno");
        expect(code() == before, "nothing has changed");
        expect(live.revert(**loaded) == kmodld::e_inval, "it is not applied");
      }
    protector.fails_at = 0;
    expect(live.apply(patches.find("two")) == 0 && code() != before,
           "it can be applied afterwards");
    protector.fails_at = protector.calls + 2;
    expect(live.revert(**loaded) == 5, "revert answers the protector's errno");
    expect(live.revert(**loaded) == 0 && code() == before, "it can be reverted again");
  }
  expect(static_cast<bool>(patches.unload("two")) && memory.in_use() == 0, "nothing is left");
}
