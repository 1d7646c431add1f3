// SPDX-License-Identifier: MIT
// A hypervisor whose code is patched while it runs, played by a process. The words of the command
// line are carried out one after the other:
//   upload FILE   loads a patch: checked, linked, protected, not active
//   apply NAME    its functions take the place of the hypervisor's
//   revert NAME   the hypervisor's are back
//   unload NAME   gives its memory back
//   guest         says what the guests get to see
// Exit status: 0 if all were done, 1 if one was refused, 2 if there is no such command.
#include "livepatch.hpp"

#include <kmodld/arch/x86_64.hpp>
#include <kmodld/hosted/arena.hpp>
#include <kmodld/hosted/mprotect.hpp>
#include <kmodld/hosted/stdio_diagnostics.hpp>
#include <kmodld/kmodld.hpp>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <filesystem>
#include <string>
#include <system_error>

namespace {

using kmodld::hosted::arena;

/// Writes patches' jumps through /proc/self/mem, as a debugger does: for that no page, neither of
/// the program nor of a patch, becomes writable, so no window need be kept from anybody. On bare
/// metal this is a second mapping of the page, or CR0.WP for a moment.
using protector = kmodld::hosted::mprotect_protector;
using livepatches = hypervisor::livepatches<protector>;

/// All but what livepatches has already given a reason for.
struct console : kmodld::hosted::stdio_diagnostics {
  console() noexcept : stdio_diagnostics{stdout} {}
  void report(kmodld::error const& e) noexcept {
    if (e.code != kmodld::errc::hook_refused)
      stdio_diagnostics::report(e);
  }
};

struct config {
  using arch = kmodld::arch::x86_64;
  using abi = kmodld::abi::linux_of<arch, kmodld::abi::plain>;
  using allocator = arena&;
  using symbol_resolver = hypervisor::own_symbols const&;
  using protector = ::protector&;
  using notifier = kmodld::no_notifier;
  using hooks = livepatches&;
  using invoker = kmodld::no_invoker; // no code of a patch runs before it is applied
  // A patch has all rights of the hypervisor: one for others than its author checks signatures.
  using verifier = kmodld::no_signatures;
  using diagnostics = console;
};
using loader = kmodld::loader<config>;

/// The answer that every guest got last to the last thing it asked for.
void guest(hypervisor::vcpus& cpus) {
  cpus.while_stopped([&] {
    vcpu const& first = cpus.states().front();
    for (vcpu const& v : cpus.states())
      if (v.answer != first.answer) {
        std::printf("guests get different answers\n");
        return;
      }
    std::printf(first.answer == no_value ? "guests get no answer\n" : "guests get 0x%x\n",
                first.answer);
  });
}

int upload(loader& patches, std::filesystem::path const& path) {
  std::ifstream in{path, std::ios::binary};
  if (!in)
    return ENOENT;
  std::vector<char> const file{std::istreambuf_iterator<char>{in}, {}};
  auto const name = path.stem().string();
  auto const done = patches.load(std::as_bytes(std::span{file}), {}, {.name = name});
  return done ? 0 : done.error().os_errno();
}

constexpr std::string_view commands[] = {"upload", "apply", "revert", "unload"};

int act(std::string_view what, char const* with, loader& patches, livepatches& live) {
  if (what == "upload")
    return upload(patches, with);
  if (what == "unload") {
    auto const done = patches.unload(with);
    return done ? 0 : done.error().os_errno();
  }
  kmodld::module_ref m = patches.find(with);
  if (!m)
    return ENOENT;
  return what == "apply" ? live.apply(std::move(m)) : live.revert(*m);
}

/// Whether all of it was done.
bool run(int argc, char** argv, arena& memory) {
  hypervisor::own_symbols symbols;
  protector memory_protector{memory};
  hypervisor::vcpus cpus{3};
  livepatches live{symbols, memory_protector, cpus};
  loader patches{{.allocator = memory,
                  .symbol_resolver = symbols,
                  .protector = memory_protector,
                  .hooks = live}};
  bool good = true;
  auto const usage = [] {
    return std::invalid_argument{
        "usage: hypervisor [upload FILE|apply NAME|revert NAME|unload NAME|guest]..."};
  };
  if (argc < 2)
    throw usage();
  for (int i = 1; i < argc; ++i) {
    std::string const what = argv[i];
    if (what == "guest") {
      guest(cpus);
      continue;
    }
    if (std::ranges::find(commands, what) == std::end(commands) || ++i == argc)
      throw usage();
    int const failed = act(what, argv[i], patches, live);
    good = good && failed == 0;
    auto const name = std::filesystem::path{argv[i]}.stem().string();
    std::printf("%s %s: %s\n", what.c_str(), name.c_str(),
                failed == 0 ? "done" : std::generic_category().message(failed).c_str());
  }
  return good;
}

} // namespace

int main(int argc, char** argv) try {
  // A jump reaches 2 GiB; the program is smaller than the half of that.
  arena memory{{.size = 16u << 20, .where = kmodld::hosted::placement::near_own_text(1u << 30)}};
  if (!memory.valid())
    throw std::runtime_error{"no room for patches near the program"};
  std::setvbuf(stdout, nullptr, _IOLBF, 0); // what a patch crashes after has been said
  bool const good = run(argc, argv, memory);
  std::printf("%llu bytes of patches are left\n", static_cast<unsigned long long>(memory.in_use()));
  return good && memory.in_use() == 0 ? 0 : 1;
} catch (std::exception const& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 2;
}
