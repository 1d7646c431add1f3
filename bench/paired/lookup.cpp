// SPDX-License-Identifier: MIT
// Looking up exports with 0 to all modules loaded: the symbol table against Linux's walk.
#include "linux_lookup.hpp"
#include "parts.hpp"

#include <kmodld/hosted/arena.hpp>
#include <kmodld/module.hpp>
#include <kmodld/policy/symbol_table.hpp>

#include <deque>
#include <fmt/core.h>
#include <stdexcept>

namespace kmodld::bench {
namespace {

using format = elf::elf64_le;

struct module_names {
  std::vector<std::string> imports, exports;
};

std::vector<module_names> names_of(std::vector<module_file> const& all) {
  std::vector<module_names> out;
  for (module_file const& file : all) {
    module_names n;
    elf::image<format> image;
    error e;
    static_cast<void>(
        elf::image<format>::check(file.view(), [](auto const&) { return true; }, image, e));
    for (u32 i = 1; i < image.section_count(); ++i)
      if (image.section(i).sh_type == elf::sht_symtab)
        for (auto const& s : image.entries<format::sym>(i)) {
          std::string name{string_at(image.data(image.section(i).sh_link), s.st_name)};
          if (name.starts_with("__ksymtab_"))
            n.exports.push_back(name.substr(10));
          else if (s.st_shndx == elf::shn_undef && !name.empty())
            n.imports.push_back(std::move(name));
        }
    out.push_back(std::move(n));
  }
  return out;
}

} // namespace

void measure_lookup(report& out, std::vector<module_file> const& all, run_options const& o) {
  auto const names = names_of(all);
  std::vector<std::string> const kernel = kernel_imports(all);
  // What every fourth module asks for, in its order.
  std::vector<std::string> asked;
  for (std::size_t i = 0; i < names.size(); i += 4)
    asked.insert(asked.end(), names[i].imports.begin(), names[i].imports.end());
  // A kernel has as many exports again that these modules do not use.
  std::vector<std::string> unused;
  for (std::string const& n : kernel)
    unused.push_back("unused_" + n);

  double few = 0;
  for (std::size_t loaded : {std::size_t{0}, std::size_t{100}, std::size_t{1000}, all.size()}) {
    hosted::arena memory;
    symbol_table<hosted::arena> ours{memory};
    std::deque<module> records;
    std::deque<linux_lookup::exports> tables;
    linux_lookup linux;
    std::vector<std::string> half[2];
    for (std::size_t i = 0; i < kernel.size(); ++i)
      half[i & 1].push_back(kernel[i]);
    half[0].insert(half[0].end(), unused.begin(), unused.end());
    for (auto const& names_half : half) {
      tables.emplace_back(names_half);
      for (std::string const& n : names_half)
        ours.add(n, {.value = {1}});
    }
    linux.owners.push_back({tables[0].view(), tables[1].view()});
    auto const after_kernel = std::next(linux.owners.begin());
    for (std::size_t i = 0; i < loaded; ++i) {
      records.emplace_back();
      tables.emplace_back(names[i].exports);
      linux.owners.insert(after_kernel == linux.owners.end() ? linux.owners.end()
                                                             : std::next(linux.owners.begin()),
                          {tables.back().view(), {}, &records.back()});
      for (std::string const& n : names[i].exports)
        ours.add(n, {.value = {1}, .owner = &records.back()});
    }
    std::vector<symbol_query> queries(asked.size());
    auto const reset = [&] {
      for (std::size_t i = 0; i < asked.size(); ++i)
        queries[i] = {.name = asked[i]};
    };
    u64 found_by_linux = 0;
    // The walk is so slow with many modules that a part of the names must do.
    std::size_t const part = loaded > 100 ? asked.size() / 20 : asked.size();
    for (std::size_t i = 0; i < part; ++i) {
      std::string const& name = asked[i * (asked.size() / part)];
      exported_symbol symbol;
      linux_lookup::owner const* from = nullptr;
      bool const here = ours.find(name, true, symbol);
      bool const there = linux.find(name.c_str(), true, from) != nullptr;
      if (here != there || (here && symbol.owner != from->record))
        throw std::runtime_error(name + ": Linux's walk finds something else");
    }
    std::vector<variant> const variants = {
        {"symbol_table, batched",
         [&] {
           reset();
           return time_of([&] { ours.find_batch(queries.data(), queries.size()); }) /
                  static_cast<double>(asked.size());
         }},
        {"symbol_table, one by one",
         [&] {
           reset();
           return time_of([&] {
                    for (symbol_query& q : queries)
                      q.found = ours.find(q.name, true, q.symbol);
                  }) /
                  static_cast<double>(asked.size());
         }},
        {"Linux's walk", [&] {
           found_by_linux = 0;
           linux_lookup::owner const* from = nullptr;
           return time_of([&] {
                    for (std::size_t i = 0; i < part; ++i)
                      found_by_linux += linux.find(asked[i * (asked.size() / part)].c_str(), true,
                                                   from) != nullptr;
                  }) /
                  static_cast<double>(part);
         }}};
    auto const times = run_rounds(variants, loaded > 100 ? 7 : o.rounds);
    out.add(fmt::format("lookup of an import, {} modules loaded", loaded), times, 1, "ns/name");
    if (loaded == 0)
      few = times[0].middle();
    if (loaded == all.size()) {
      out.at_least("lookup-linux-to-ours", ratio(times[2], times[0]), 28, 40);
      out.at_most("lookup-growth", times[0].middle() / few, 2, 1.5);
    }
  }
}

} // namespace kmodld::bench
