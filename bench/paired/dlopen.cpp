// SPDX-License-Identifier: MIT
// dlopen of a shared object with a million relocations: relative ones, and symbolic ones of 20,000
// symbols. Time a relocation, everything included, against kmodld's for the largest module. dlopen
// maps its object anew each time; kmodld's arena is measured both new and after it has held the
// module before, as in a host that loads and unloads.
#include "hosts.hpp"
#include "parts.hpp"

#include <dlfcn.h>
#include <fmt/core.h>
#include <fstream>

namespace kmodld::bench {
namespace {

constexpr unsigned slots = 1'000'000, symbols = 20'000;

/// A shared object of `slots` words that all need a relocation. Empty if it cannot be made.
std::filesystem::path make(std::filesystem::path const& scratch, bool symbolic) {
  std::filesystem::path const name = scratch / (symbolic ? "symbolic" : "relative");
  std::ofstream source{name.string() + ".s"};
  source << ".data\n";
  if (symbolic) {
    source << ".globl first\nfirst:\n";
    for (unsigned i = 0; i < symbols; ++i)
      source << ".globl symbol_" << i << "\nsymbol_" << i << ": .byte 0\n";
    source << ".balign 8\n";
    for (unsigned i = 0; i < slots; ++i)
      source << ".quad symbol_" << (i * 2654435761u >> 8) % symbols << "\n";
  } else {
    source << "here: .quad 0\n.rept " << slots << "\n.quad here\n.endr\n";
  }
  source << ".section .note.GNU-stack,\"\",@progbits\n";
  source.close();
  std::string const object = name.string() + ".so";
  std::string const command =
      "cc -shared -nostdlib -Wl,-z,nopack-relative-relocs,--hash-style=gnu -o " + object + " " +
      name.string() + ".s 2>/dev/null || cc -shared -nostdlib -o " + object + " " + name.string() +
      ".s 2>/dev/null";
  return std::filesystem::path{std::system(command.c_str()) == 0 ? object : ""};
}

} // namespace

void measure_dlopen(report& out, std::vector<module_file> const& all, run_options const& o) {
  std::filesystem::path const objects[] = {make(o.scratch, false), make(o.scratch, true)};
  if (objects[0].empty() || objects[1].empty()) {
    out.note("SKIPPED: dlopen: no compiler to make a shared object with");
    return;
  }
  auto const open = [](std::filesystem::path const& object) {
    return [object] {
      void* handle = nullptr;
      seconds const time =
          time_of([&] { handle = ::dlopen(object.c_str(), RTLD_NOW | RTLD_LOCAL); });
      if (handle == nullptr)
        throw std::runtime_error(::dlerror());
      ::dlclose(handle);
      return time / slots;
    };
  };
  // The largest module by itself, as a plugin host would load it: fresh memory, protection at once.
  module_file const& file = named(all, "amdgpu");
  auto const kernel = kernel_imports({file});
  double relocations = 0;
  {
    elf::image<x86_64::format> image;
    error e;
    static_cast<void>(
        elf::image<x86_64::format>::check(file.view(), [](auto const&) { return true; }, image, e));
    for (u32 i = 1; i < image.section_count(); ++i)
      if (image.section(i).sh_type == elf::sht_rela &&
          (image.section(image.section(i).sh_info).sh_flags & elf::shf_alloc) != 0)
        relocations += static_cast<double>(image.entries<x86_64::relocation>(i).size());
  }
  auto const ours = [&](hosted::arena& arena) {
    hosted::mprotect_protector protector{arena};
    export_table table{arena};
    u64 at = 0x10000;
    for (std::string const& name : kernel)
      table.add(name, {.value = {at += 16}});
    loader<link_host> loader{
        {.allocator = arena, .symbol_resolver = table, .protector = protector}};
    return time_of([&] {
             if (!loader.load(file.view()))
               throw std::runtime_error("amdgpu was refused");
           }) /
           relocations;
  };
  hosted::arena kept;
  static_cast<void>(ours(kept));
  auto const times = run_rounds({{"kmodld, amdgpu, arena in use", [&] { return ours(kept); }},
                                 {"kmodld, amdgpu, new arena",
                                  [&] {
                                    hosted::arena arena;
                                    return ours(arena);
                                  }},
                                 {"dlopen, relative", open(objects[0])},
                                 {"dlopen, symbolic", open(objects[1])}},
                                o.rounds);
  out.add("dlopen", times, 1, "ns/relocation");
  out.at_least("dlopen-relative-to-link", ratio(times[2], times[0]), 3, 4.4);
  out.at_least("dlopen-symbolic-to-link", ratio(times[3], times[0]), 4, 6);
  out.at_least("dlopen-relative-to-link-fresh", ratio(times[2], times[1]), 3, 4.4);
  out.at_least("dlopen-symbolic-to-link-fresh", ratio(times[3], times[1]), 4, 6);
}

} // namespace kmodld::bench
