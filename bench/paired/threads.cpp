// SPDX-License-Identifier: MIT
// Two threads that load into one loader, next to two that only copy and run the roofline loop: both
// are bound by memory, so what counts is how near one's scaling comes to the other's.
#include "hosts.hpp"
#include "loops.hpp"
#include "parts.hpp"

#include <kmodld/hosted/epoch_reclaimer.hpp>
#include <kmodld/hosted/mutex_lock.hpp>

#include <fmt/core.h>
#include <set>
#include <thread>

namespace kmodld::bench {
namespace {

using table_type = symbol_table<hosted::arena, hosted::epoch_reclaimer>;

struct threaded_host : link_host {
  using symbol_resolver = table_type&;
  using lock = hosted::mutex_lock&;
  using reclaimer = hosted::epoch_reclaimer&;
};

/// f(part) in so many threads.
template <class F>
seconds in_threads(unsigned threads, F const& f) {
  return wall_time_of([&] {
    std::vector<std::thread> others;
    for (unsigned i = 1; i < threads; ++i)
      others.emplace_back([&f, i] { f(i); });
    f(0u);
    for (std::thread& t : others)
      t.join();
  });
}

} // namespace

void measure_threads(report& out, std::vector<module_file> const& all, run_options const& o) {
  // What others need is loaded before the clock runs; of the rest none waits for another.
  auto const order = dependency_order(all);
  auto const kernel = kernel_imports(all);
  std::vector<module_file const*> bases, leaves;
  {
    std::set<std::string> imported;
    auto const each_symbol = [](module_file const& file, auto const& f) {
      elf::image<elf::elf64_le> image;
      error e;
      static_cast<void>(elf::image<elf::elf64_le>::check(
          file.view(), [](auto const&) { return true; }, image, e));
      for (u32 i = 1; i < image.section_count(); ++i)
        if (image.section(i).sh_type == elf::sht_symtab)
          for (auto const& s : image.entries<elf::elf64_le::sym>(i))
            f(s, string_at(image.data(image.section(i).sh_link), s.st_name));
    };
    for (module_file const& file : all)
      each_symbol(file, [&](auto const& s, std::string_view name) {
        if (s.st_shndx == elf::shn_undef)
          imported.emplace(name);
      });
    for (std::size_t i : order) {
      bool needed = false;
      each_symbol(all[i], [&](auto const&, std::string_view name) {
        if (name.starts_with("__ksymtab_"))
          needed = needed || imported.contains(std::string{name.substr(10)});
      });
      (needed ? bases : leaves).push_back(&all[i]);
    }
  }

  auto const load = [&](unsigned threads) {
    hosted::arena arena{{.size = u64{400} << 20}};
    region whole;
    if (arena.allocate({memory_kind::text, arena.range().size, 1, {}, false}, whole) ==
        memory_status::ok) {
      std::memset(whole.host, 1, whole.size);
      arena.release(memory_kind::text, whole);
    }
    hosted::mprotect_protector protector{arena, hosted::settles::later};
    hosted::epoch_reclaimer reclaimer;
    table_type table{arena, reclaimer};
    table.reserve(kernel.size() + 20000);
    u64 at = 0x10000;
    for (std::string const& name : kernel)
      table.add(name, {.value = {at += 16}});
    hosted::mutex_lock lock;
    loader<threaded_host> loader{{.allocator = arena,
                                  .symbol_resolver = table,
                                  .protector = protector,
                                  .lock = lock,
                                  .reclaimer = reclaimer}};
    for (module_file const* file : bases)
      if (!loader.load(file->view()))
        throw std::runtime_error(file->path.string() + ": refused");
    std::atomic<unsigned> refused{0};
    seconds const time = in_threads(threads, [&](unsigned part) {
      for (std::size_t i = part; i < leaves.size(); i += threads)
        if (!loader.load(leaves[i]->view()))
          ++refused;
    });
    if (refused != 0)
      throw std::runtime_error(fmt::format("{} modules were refused", refused.load()));
    return time;
  };

  pages memory{std::size_t{320} << 20};
  std::vector<std::unique_ptr<prepared<x86_64>>> objects;
  for (module_file const* file : leaves)
    objects.push_back(std::make_unique<prepared<x86_64>>(*file, 0xffffffffc0000000, memory));
  auto const copy = [&](unsigned threads) {
    return in_threads(threads, [&](unsigned part) {
      for (std::size_t i = part; i < objects.size(); i += threads) {
        objects[i]->restore();
        for (auto const& s : objects[i]->sections)
          roofline<x86_64>(s.in, objects[i]->values.data());
      }
    });
  };

  auto const times = run_rounds({{"copy and roofline, 1 thread", [&] { return copy(1); }},
                                 {"copy and roofline, 2 threads", [&] { return copy(2); }},
                                 {"loads, 1 thread", [&] { return load(1); }},
                                 {"loads, 2 threads", [&] { return load(2); }}},
                                (o.rounds + 1) / 3);
  out.add("two threads", times, static_cast<double>(leaves.size()), "ns/module");
  double const copying = ratio(times[0], times[1]), loading = ratio(times[2], times[3]);
  out.add({"two threads", "scaling of copy and roofline", "x", copying});
  out.add({"two threads", "scaling of loads", "x", loading});
  out.at_least("two-threads-scaling-to-copying", loading / copying, 0.9, 0.9);
}

} // namespace kmodld::bench
