// SPDX-License-Identifier: MIT
#include "corpus.hpp"

#include "support/files.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <unordered_map>

namespace kmodld::bench {
namespace {

using format = elf::elf64_le;

/// Undefined names, and those that `__ksymtab_NAME` symbols say are exported.
struct names {
  std::vector<std::string> imports, exports;
};
names names_of(module_file const& file) {
  elf::image<format> image;
  error e;
  names out;
  if (elf::image<format>::check(
          file.view(), [](auto const&) { return true; }, image, e) != errc::ok)
    throw std::runtime_error(file.path.string() + ": not a module of a 64-bit machine");
  for (u32 i = 1; i < image.section_count(); ++i) {
    if (image.section(i).sh_type != elf::sht_symtab)
      continue;
    for (auto const& s : image.entries<format::sym>(i)) {
      std::string const name{string_at(image.data(image.section(i).sh_link), s.st_name)};
      if (s.st_shndx == elf::shn_undef && !name.empty())
        out.imports.push_back(name);
      if (name.starts_with("__ksymtab_"))
        out.exports.push_back(name.substr(10));
    }
  }
  return out;
}

} // namespace

std::vector<module_file> read_modules(std::filesystem::path const& root) {
  std::vector<module_file> out;
  for (auto const& entry : std::filesystem::recursive_directory_iterator(root)) {
    std::string const name = entry.path().filename().string();
    if (!entry.is_regular_file() || !(name.ends_with(".ko") || name.ends_with(".ko.xz")))
      continue;
    out.push_back({entry.path(), test::read_maybe_xz(entry.path())});
  }
  std::ranges::sort(out, {}, &module_file::path);
  return out;
}

module_file const& named(std::vector<module_file> const& all, std::string const& name) {
  for (module_file const& file : all) {
    std::string const full = file.path.filename().string();
    if (full == name + ".ko" || full == name + ".ko.xz")
      return file;
  }
  throw std::runtime_error(name + ": no such module");
}

std::vector<std::size_t> dependency_order(std::vector<module_file> const& all) {
  std::unordered_map<std::string, std::size_t> provider;
  std::vector<names> every;
  for (module_file const& file : all) {
    every.push_back(names_of(file));
    for (std::string const& name : every.back().exports)
      provider.emplace(name, every.size() - 1);
  }
  std::vector<std::size_t> order;
  std::vector<bool> seen(all.size());
  auto const visit = [&](auto const& self, std::size_t i) -> void {
    if (seen[i])
      return;
    seen[i] = true;
    for (std::string const& name : every[i].imports)
      if (auto const found = provider.find(name); found != provider.end())
        self(self, found->second);
    order.push_back(i);
  };
  for (std::size_t i = 0; i < all.size(); ++i)
    visit(visit, i);
  return order;
}

std::vector<std::string> kernel_imports(std::vector<module_file> const& all) {
  std::set<std::string> imports;
  std::vector<std::string> exports;
  for (module_file const& file : all) {
    names const n = names_of(file);
    imports.insert(n.imports.begin(), n.imports.end());
    exports.insert(exports.end(), n.exports.begin(), n.exports.end());
  }
  for (std::string const& name : exports)
    imports.erase(name);
  return {imports.begin(), imports.end()};
}

} // namespace kmodld::bench
