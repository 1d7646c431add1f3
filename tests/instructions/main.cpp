// SPDX-License-Identifier: MIT
// Work to be counted in instructions, by callgrind: counts do not depend on what else the machine
// does, so a limit on them fails for the right reason. Only `measured` functions are collected.
//
//   instructions loop FILE        relocates the module; prints how many relocations that were
//   instructions load N           N modules are loaded; one more is loaded
//   instructions unload N         ... and unloaded again
//   instructions lookup N         ... an import is looked up, an address named, a module found
#include "../../bench/paired/prepared.hpp"
#include "support/files.hpp"
#include "support/module_builder.hpp"

#include <kmodld/arch/aarch64.hpp>
#include <kmodld/arch/riscv.hpp>
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/hosted/arena.hpp>
#include <kmodld/kmodld.hpp>
#include <kmodld/policy/symbol_table.hpp>

#include <cstdio>
#include <random>

using namespace kmodld;

namespace {

template <class Arch>
[[gnu::noinline]] bool measured_loop(bench::prepared<Arch>& object) {
  symbol_values const values{object.values};
  for (auto const& s : object.sections) {
    typename Arch::state state{};
    error e;
    if (relocate<Arch>(s.in, values, state, e) != errc::ok)
      return false;
  }
  return true;
}

template <class Arch>
int loop(bench::module_file const& file, u64 base) {
  bench::pages memory{std::size_t{64} << 20};
  bench::prepared<Arch> object{file, base, memory};
  object.restore();
  if (!measured_loop(object))
    return 1;
  std::printf("%llu\n", static_cast<unsigned long long>(object.count));
  return 0;
}

int loop(char const* path) {
  bench::module_file const file{path, test::read_maybe_xz(path)};
  auto const& header = *reinterpret_cast<elf::elf64_le::ehdr const*>(file.bytes.data());
  switch (header.e_machine) {
  case arch::aarch64::machine: return loop<arch::aarch64>(file, 0xffff800001000000);
  case arch::riscv64::machine: return loop<arch::riscv64>(file, 0xffffffff02000000);
  default: return loop<arch::x86_64>(file, 0xffffffffc0000000);
  }
}

struct host {
  using arch = kmodld::arch::x86_64;
  struct abi : kmodld::abi::linux_6_1 {
    static constexpr bool modversions = false;
  };
  using allocator = hosted::arena&;
  using symbol_resolver = symbol_table<hosted::arena>&;
  using protector = no_protection;
  using notifier = no_notifier;
  using invoker = no_invoker;
};

/// Module `i`: exports one function and calls eight of the modules before `n`.
std::vector<std::byte> sample_image(unsigned i, unsigned n) {
  using builder = test::module_builder<test::x86_64_numbers>;
  std::string const name = "sample_" + std::to_string(i);
  builder m{name};
  u32 const text = m.text(test::byte_vector(128));
  m.export_symbol(name, m.function(name, text, 0));
  std::minstd_rand random{i + 1};
  unsigned const others = std::min(i, n);
  for (unsigned k = 0; k < 8 && others != 0; ++k)
    m.rela(text, 8 * k + 1, 4, m.undefined("sample_" + std::to_string(random() % others)), -4);
  return m.build().bytes;
}

struct machine {
  hosted::arena memory;
  symbol_table<hosted::arena> symbols{memory, {.bounded_by = {{1}, {0}}}};
  loader<host> loads{{.allocator = memory, .symbol_resolver = symbols}};
  unsigned count;

  explicit machine(unsigned n) : count{n} {
    symbols.reserve(8192);
    for (unsigned i = 0; i < n; ++i)
      if (!loads.load(sample_image(i, n)))
        std::abort();
  }
};

[[gnu::noinline]] bool measured_load(machine& m, byte_view image) {
  return m.loads.load(image).has_value();
}
[[gnu::noinline]] bool measured_unload(machine& m, std::string_view name) {
  return m.loads.unload(name).has_value();
}
[[gnu::noinline]] bool measured_lookup(machine& m, std::string_view name) {
  exported_symbol found;
  char text[64];
  return m.symbols.find(name, true, found) && m.loads.symbolise(found.value, text) != 0 &&
         m.loads.find(name).get() == found.owner;
}

} // namespace

int main(int argc, char** argv) {
  std::string_view const what = argc == 3 ? argv[1] : "";
  if (what == "loop")
    return loop(argv[2]);
  if (what != "load" && what != "unload" && what != "lookup") {
    std::fputs("usage: instructions loop FILE | load N | unload N | lookup N\n", stderr);
    return 2;
  }
  unsigned const n = static_cast<unsigned>(std::atoi(argv[2]));
  machine m{n};
  // The first of a kind warms up what is made once; the second is what the next one costs.
  for (unsigned extra : {n, n + 1}) {
    auto const image = sample_image(extra, n);
    std::string const name = "sample_" + std::to_string(extra);
    if (!(what == "load" ? measured_load(m, image) : m.loads.load(image).has_value()))
      return 1;
    if (what == "unload" && !measured_unload(m, name))
      return 1;
  }
  std::string const oldest = "sample_" + std::to_string(n / 2);
  return what != "lookup" || measured_lookup(m, oldest) ? 0 : 1;
}
