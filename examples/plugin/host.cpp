// SPDX-License-Identifier: MIT
// A program with plugins: object files, as the compiler makes them (cc -O2 -fpic -c), are loaded,
// called and unloaded. A plugin may use whatever the program and its libraries export, and has what
// plugin.h says.
//   plugin_host PLUGIN.o...
#include "plugin.h"

#include <kmodld/arch/native.hpp>
#include <kmodld/hosted/arena.hpp>
#include <kmodld/hosted/dlsym_resolver.hpp>
#include <kmodld/hosted/mprotect.hpp>
#include <kmodld/hosted/stdio_diagnostics.hpp>
#include <kmodld/kmodld.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

int host_calls = 0;
int host_say(char const* text) { return std::printf("host: %s\n", text); }

namespace {

struct plugin_host {
  using arch = kmodld::arch::native;
  /// Objects that are no kernel modules; the program may lie farther away than a call reaches.
  struct abi : kmodld::abi::linux_of<arch, kmodld::abi::plain> {
    static constexpr bool far_calls = true;
  };
  using allocator = kmodld::hosted::arena&;
  using symbol_resolver = kmodld::hosted::dlsym_resolver;
  using protector = kmodld::hosted::mprotect_protector;
  using notifier = kmodld::no_notifier;
  using verifier = kmodld::no_signatures;
  using diagnostics = kmodld::hosted::stdio_diagnostics;
};

/// Loads, calls, unloads. False, and a message has been printed, if something is refused.
bool use(kmodld::loader<plugin_host>& loader, std::filesystem::path const& path) {
  std::ifstream in{path, std::ios::binary};
  std::vector<char> const file{std::istreambuf_iterator<char>{in}, {}};
  std::string const name = path.stem().string();
  // The object has no name of its own. Its initialiser, init_module, is called if it has one.
  auto plugin = loader.load(std::as_bytes(std::span{file}), {}, {.name = name});
  if (!plugin)
    return false;
  auto* const run = loader.symbol<decltype(plugin_run)>(**plugin, "plugin_run");
  if (run == nullptr) {
    std::fprintf(stderr, "%s: no plugin_run\n", name.c_str());
    return false;
  }
  int const answer = run(20);
  std::printf("%s: plugin_run(20) = %d, host_calls = %d\n", name.c_str(), answer, host_calls);
  return static_cast<bool>(loader.unload(*plugin)); // cleanup_module, if it has one
}

} // namespace

int main(int argc, char** argv) {
  kmodld::hosted::arena memory{{.size = 16u << 20}};
  if (!memory.valid()) {
    std::fprintf(stderr, "no room for plugins\n");
    return 1;
  }
  kmodld::loader<plugin_host> loader{{.allocator = memory}};
  bool good = argc > 1;
  for (int i = 1; i < argc; ++i)
    good = use(loader, argv[i]) && good;
  return good && memory.in_use() == 0 ? 0 : 1;
}
