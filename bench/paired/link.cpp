// SPDX-License-Identifier: MIT
// Linking all modules of a kernel in the order of their dependencies, from images in memory.
#include "hosts.hpp"
#include "parts.hpp"

#include <charconv>
#include <deque>
#include <fmt/core.h>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <unordered_map>

namespace kmodld::bench {
namespace {

constexpr u64 kernel_text = 0x10000; ///< where made-up exports lie

struct kernel_export {
  std::string name;
  u32 crc = 0;
};

/// The kernel's exports with their CRCs, from Module.symvers of the headers package, if it is
/// there.
std::vector<kernel_export> exports_of(std::vector<module_file> const& all,
                                      std::filesystem::path const& root) {
  std::unordered_map<std::string, u32> crcs;
  for (auto const& entry : std::filesystem::recursive_directory_iterator(
           root, std::filesystem::directory_options::skip_permission_denied)) {
    if (entry.path().filename() != "Module.symvers")
      continue;
    std::ifstream in{entry.path()};
    for (std::string line; std::getline(in, line);) {
      auto const tab = line.find('\t');
      u32 crc = 0;
      std::from_chars(line.data() + 2, line.data() + tab, crc, 16);
      crcs.emplace(line.substr(tab + 1, line.find('\t', tab + 1) - tab - 1), crc);
    }
    break;
  }
  std::vector<kernel_export> out;
  for (std::string& name : kernel_imports(all)) {
    auto const found = crcs.find(name);
    out.push_back({std::move(name), found == crcs.end() ? 0 : found->second});
  }
  if (std::ranges::find(out, "module_layout", &kernel_export::name) == out.end())
    out.push_back({"module_layout", crcs["module_layout"]});
  return out;
}

struct inputs {
  inputs(std::vector<module_file> const& all, std::vector<std::size_t> by_need,
         std::vector<kernel_export> exports)
      : files{all}, order{std::move(by_need)}, kernel{std::move(exports)} {}

  std::vector<module_file> const& files;
  std::vector<std::size_t> order;
  std::vector<kernel_export> kernel;
};

/// The memory of one run.
struct run_memory {
  hosted::arena arena;
  hosted::mprotect_protector protector;

  explicit run_memory(memory_state state, hosted::settles when = hosted::settles::later)
      : arena{{.size = u64{400} << 20, .populate = state == memory_state::populated}},
        protector{arena, when} {
    if (!arena.valid())
      throw std::runtime_error("no room in the low 2 GiB");
    region all;
    if (state == memory_state::used &&
        arena.allocate({memory_kind::text, arena.range().size, 1, {}, false}, all) ==
            memory_status::ok) {
      std::memset(all.host, 1, all.size);
      arena.release(memory_kind::text, all);
    }
  }
};

void add_kernel(export_table& table, std::vector<kernel_export> const& kernel, bool crcs) {
  table.reserve(kernel.size() + 20000);
  u64 at = kernel_text;
  for (kernel_export const& e : kernel)
    table.add(e.name, {.value = {at += 16}, .crc = e.crc, .has_crc = crcs && e.crc != 0});
}

/// Loads all; throws if one is refused.
template <class Loader>
seconds load_all(inputs const& in, Loader& loader, run_memory& memory) {
  std::size_t refused = 0;
  error first;
  seconds const time = time_of([&] {
    for (std::size_t i : in.order)
      if (auto const m = loader.load(in.files[i].view()); !m && refused++ == 0)
        first = m.error();
    if (memory.protector.settle() != 0)
      throw std::runtime_error("memory cannot be protected");
  });
  if (refused != 0)
    throw std::runtime_error(fmt::format("{} modules were refused, the first with error {}",
                                         refused, static_cast<unsigned>(first.code)));
  return time;
}

seconds link_all(inputs const& in, memory_state state,
                 hosted::settles when = hosted::settles::later) {
  run_memory memory{state, when};
  export_table table{memory.arena};
  add_kernel(table, in.kernel, false);
  loader<link_host> loader{
      {.allocator = memory.arena, .symbol_resolver = table, .protector = memory.protector}};
  return load_all(in, loader, memory);
}

seconds copy_all(inputs const& in, memory_state state) {
  run_memory memory{state};
  loader<copy_host> loader{{.allocator = memory.arena, .protector = memory.protector}};
  return load_all(in, loader, memory);
}

seconds link_all_like_linux(inputs const& in, memory_state state) {
  run_memory memory{state};
  linux_lookup tables;
  std::vector<std::string> names[2];
  for (std::size_t i = 0; i < in.kernel.size(); ++i)
    names[i & 1].push_back(in.kernel[i].name);
  linux_lookup::exports const plain{names[0]}, gpl{names[1]};
  tables.owners.push_back({plain.view(), gpl.view()});
  loader<linux_host> loader{
      {.allocator = memory.arena, .symbol_resolver = {&tables}, .protector = memory.protector}};
  return load_all(in, loader, memory);
}

/// Bytes of memory that the process has.
u64 resident() {
  std::ifstream in{"/proc/self/statm"};
  u64 all = 0, here = 0;
  in >> all >> here;
  return here * static_cast<u64>(::sysconf(_SC_PAGESIZE));
}

struct full_result {
  seconds time = 0;
  double overhead = 0; ///< resident memory beyond the regions, as a part of them
};

/// Everything that load_module does. `clock`: of each step; null: not measured.
template <class Host>
full_result load_all_fully(inputs const& in, memory_state state, step_clock* clock) {
  run_memory memory{state};
  export_table table{memory.arena};
  add_kernel(table, in.kernel, true);
  notifier_chain notifiers;
  notifier_node nodes[4];
  for (int i = 0; i < 4; ++i) {
    nodes[i].priority = i / 2;
    nodes[i].call = [](void*, module_event, module&) noexcept { return 0; };
    notifiers.add(nodes[i]);
  }
  std::vector<param_ops> types;
  for (std::size_t i = 0; i < std::size(param_ops_names); ++i) {
    exported_symbol found;
    if (table.find(param_ops_names[i], true, found))
      types.push_back({static_cast<param_type>(i), found.value});
  }
  parameter_policy parameters{types, memory.arena};
  percpu_bytes percpu;
  sysfs_policy introspection;
  policies<Host> p = [&]() -> policies<Host> {
    if constexpr (std::is_same_v<Host, clocked_host>)
      return {.allocator = memory.arena,
              .symbol_resolver = table,
              .protector = memory.protector,
              .notifier = notifiers,
              .percpu = percpu,
              .parameters = parameters,
              .introspection = introspection,
              .tracer = *clock};
    else
      return {.allocator = memory.arena,
              .symbol_resolver = table,
              .protector = memory.protector,
              .notifier = notifiers,
              .percpu = percpu,
              .parameters = parameters,
              .introspection = introspection};
  }();
  loader<Host> loader{std::move(p)};
  sysfs_host host;
  sysfs tree{loader.modules(), parameters, host};
  introspection.tree = &tree;
  u64 const before = resident();
  full_result out{load_all(in, loader, memory), 0};
  u64 const after = resident();
  u64 regions = 0;
  for (module const& m : loader.modules())
    for (module_memory const& part : m.all_memories())
      regions += part.memory.size;
  out.overhead = (static_cast<double>(after - before) - static_cast<double>(regions)) /
                 static_cast<double>(regions);
  return out;
}

} // namespace

std::function<seconds()> whole_link(std::vector<module_file> const& all, run_options const& o,
                                    memory_state state, hosted::settles when) {
  auto const in = std::make_shared<inputs>(all, dependency_order(all), exports_of(all, o.amd64));
  return [in, state, when] { return link_all(*in, state, when); };
}
std::function<seconds()> whole_copy(std::vector<module_file> const& all, run_options const& o,
                                    memory_state state) {
  auto const in = std::make_shared<inputs>(all, dependency_order(all), exports_of(all, o.amd64));
  return [in, state] { return copy_all(*in, state); };
}

void measure_link(report& out, std::vector<module_file> const& all, run_options const& o) {
  inputs const in{all, dependency_order(all), exports_of(all, o.amd64)};
  auto const modules = static_cast<double>(all.size());
  for (memory_state state : {memory_state::populated, memory_state::fresh}) {
    std::string const name = state == memory_state::fresh ? "fresh" : "pre-faulted";
    auto const times = run_rounds(
        {{"without lookup and relocation", [&] { return copy_all(in, state); }},
         {"kmodld, whole link", [&] { return link_all(in, state); }},
         {"kmodld, full pipeline",
          [&] { return load_all_fully<full_host>(in, state, nullptr).time; }},
         {"Linux's lookup and loop, same memory", [&] { return link_all_like_linux(in, state); }},
         {"kmodld, whole link, where other modules were",
          [&] { return link_all(in, memory_state::used); }}},
        (o.rounds + 1) / 3);
    out.add("link of all modules, " + name + " memory", times, modules, "ns/module");
    bool const fresh = state == memory_state::fresh;
    out.at_most("link-to-copy-" + name, ratio(times[1], times[0]), fresh ? 1.65 : 2.0,
                fresh ? 1.45 : 1.75);
    out.at_most("full-pipeline-to-link-" + name, ratio(times[2], times[1]), 2.5, 1.6);
    out.at_least("linux-algorithms-to-link-" + name, ratio(times[3], times[1]), 8, 9.5);
  }

  full_result const once = load_all_fully<full_host>(in, memory_state::fresh, nullptr);
  out.add({"memory", "resident beyond the modules' regions", "%", once.overhead * 100, 0});
  out.at_most("memory-overhead-percent", once.overhead * 100, 8, 4);

  step_clock clock;
  static_cast<void>(load_all_fully<clocked_host>(in, memory_state::populated, &clock));
  double sum = 0;
  for (auto const& row : clock.rows)
    sum += static_cast<double>(row.ticks);
  for (auto const& row : clock.rows)
    out.add({"steps of the full pipeline", std::string(row.step), "% of the steps",
             100 * static_cast<double>(row.ticks) / sum, 0});
}

} // namespace kmodld::bench
