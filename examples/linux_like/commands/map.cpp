// SPDX-License-Identifier: MIT
// map: where a module lies, with which permissions, and what is where.
#include "../link/machines.hpp"
#include "commands.hpp"

#include <algorithm>
#include <fstream>

namespace linux_like::commands {
namespace {

using kmodld::u64;

struct mapping {
  u64 begin, end;
  std::string rights;
};

/// What the system says of this process's memory.
std::vector<mapping> own_mappings() {
  std::vector<mapping> out;
  std::ifstream in("/proc/self/maps");
  for (std::string line; std::getline(in, line);) {
    char* rest = nullptr;
    const u64 begin = std::strtoull(line.c_str(), &rest, 16);
    const u64 end = std::strtoull(rest + 1, &rest, 16);
    out.push_back({begin, end, std::string(rest + 1, 3)});
  }
  return out;
}

constexpr const char* kind_names[] = {"text",          "data",      "rodata",
                                      "ro_after_init", "init text", "init data",
                                      "init rodata",   "core",      "init"};

/// The name of the part of a core region that an offset lies in.
const char* part_at(const kmodld::module_memory& m, u64 offset) {
  if (m.kind != kmodld::memory_kind::core && m.kind != kmodld::memory_kind::init)
    return "";
  return offset < m.text_size            ? "text"
         : offset < m.ro_size            ? "read-only"
         : offset < m.ro_after_init_size ? "read-only after init"
                                         : "data";
}

void print_region(const kmodld::module_memory& m, std::span<const mapping> maps) {
  const u64 first = m.memory.target.value, end = first + m.memory.size;
  fmt::print("{:#010x}-{:#010x}      {:>8} {}\n", first, end, m.memory.size,
             kind_names[static_cast<unsigned>(m.kind)]);
  u64 cuts[] = {first, first + m.text_size, first + m.ro_size, first + m.ro_after_init_size, end};
  for (std::size_t i = 0; i + 1 < std::size(cuts); ++i)
    for (const mapping& map : maps) {
      const u64 begin = std::max(cuts[i], map.begin), stop = std::min(cuts[i + 1], map.end);
      if (begin < stop)
        fmt::print("  {:#010x}-{:#010x} {} {:>8} {}\n", begin, stop, map.rights, stop - begin,
                   part_at(m, begin - first));
    }
}

/// Where a loader would put the sections of a file, of any architecture.
void map_file(const std::string& file) {
  const byte_vector bytes = read_module_file(file);
  const machine& its = machine_of(bytes);
  module_map map = its.map(file, bytes);
  std::ranges::stable_sort(map.sections, {}, &module_map::part::address);
  fmt::print("{}: for {}\n", file, its.name);
  for (const module_map::part& r : map.regions)
    fmt::print("{:#010x}-{:#010x}      {:>8} {}\n", r.address, r.address + r.size, r.size, r.name);
  fmt::print("sections:\n");
  for (const module_map::part& s : map.sections)
    fmt::print("  {:#010x} {:>8} {}\n", s.address, s.size, printable(s.name));
}

} // namespace

void map(shell& self, words given) {
  expect_words(given, 1, 1, "map NAME|FILE");
  if (!self.host.find_module(given[0].text) && std::filesystem::exists(given[0].text)) {
    map_file(given[0].text);
    return;
  }
  const auto m = loaded_module(self, given[0].text);
  const auto maps = own_mappings();
  fmt::print("{}\n", printable(m->name()));
  for (const kmodld::module_memory& part : m->all_memories())
    if (part.memory.size != 0)
      print_region(part, maps);
  if (m->percpu_size != 0)
    fmt::print("per-CPU: {} bytes at offset {:#x}\n", m->percpu_size, m->percpu.value);
  if (const std::size_t sites = self.host.hooks.call_sites(*m); sites != 0)
    fmt::print("call sites of the tracer, now nops: {}\n", sites);
  fmt::print("sections:\n");
  std::vector<kmodld::section_attribute> sections(m->section_attributes.begin(),
                                                  m->section_attributes.end());
  std::ranges::stable_sort(sections, {}, [](const auto& s) { return s.target.value; });
  for (const kmodld::section_attribute& s : sections) {
    const bool here = m->host(s.target, std::max<u64>(s.bytes.size(), 1)) != nullptr;
    fmt::print("  {:#010x} {:>8} {}{}\n", s.target.value, s.bytes.size(), printable(s.name),
               here ? "" : "  (gone after init)");
  }
}

} // namespace linux_like::commands
