// SPDX-License-Identifier: MIT
// What a module imports against what is exported.
#include "check.hpp"

#include <kmodld/linux/license.hpp>
#include <kmodld/linux/name_index.hpp>

#include <algorithm>
#include <random>
#include <set>

namespace linux_like {
namespace {

/// Changes of one character that make `a` into `b`; more than `most` counts as most + 1.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t most) {
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) > most)
    return most + 1;
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    std::size_t least = row[0];
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
      least = std::min(least, row[j + 1]);
    }
    if (least > most)
      return most + 1;
  }
  return std::min(row[b.size()], most + 1);
}

std::set<std::string_view> imported_namespaces(const module_view& view) {
  std::set<std::string_view> all;
  for (std::string_view one = view.tags.get("import_ns"); one.data() != nullptr;
       one = view.tags.get_next("import_ns", one))
    all.insert(one);
  return all;
}

/// The versions that a module expects, by name: a file may have as many of them as symbols.
class version_index {
  auto name_of() const {
    return [this](kmodld::u32 i) { return versions_[i].name; };
  }

public:
  explicit version_index(const module_view& view)
      : versions_(view.versions), slots_(kmodld::name_index::slots_for(versions_.count())),
        index_(slots_, std::uint64_t{std::random_device{}()} << 32 | std::random_device{}()) {
    for (kmodld::u32 i = 0; i < versions_.count(); ++i)
      index_.insert(i, name_of());
  }
  version_index(const version_index&) = delete;
  version_index& operator=(const version_index&) = delete;

  bool find(std::string_view name, kmodld::u64& crc) const {
    const kmodld::u32 i = index_.find(name, name_of());
    if (i == kmodld::name_index::none)
      return false;
    crc = versions_[i].crc;
    return true;
  }

private:
  kmodld::modversions<elf_format> versions_;
  std::vector<kmodld::u32> slots_;
  kmodld::name_index index_;
};

void check_version(const module_view& view, const version_index& versions, std::string_view name,
                   const kmodld::exported_symbol& symbol, findings& out) {
  kmodld::u64 crc = 0;
  if (!symbol.has_crc)
    return;
  if (!view.has_versions)
    out.note("no version of {}; the export's CRC is {:#010x}", name, symbol.crc);
  else if (!versions.find(name, crc))
    out.wrong("no version of {}; the export's CRC is {:#010x}", name, symbol.crc);
  else if (crc != symbol.crc)
    out.wrong("CRC of {}: the module has {:#010x}, the export {:#010x}", name, crc, symbol.crc);
}

/// What could have been meant by unknown names.
class hints {
public:
  explicit hints(host& self) : self_(self) {}

  std::string operator()(std::string_view name) {
    if (const auto owner = self_.module_exports.find(name); owner != self_.module_exports.end())
      return fmt::format("; the module {} exports it", owner->second);
    if (const auto known = known_.find(name); known != known_.end())
      return known->second;
    // Each is compared with every export there is; nobody reads more of them.
    constexpr std::size_t most = 10;
    if (known_.size() == most)
      return "";
    const auto near = nearest_exports(self_, name);
    return known_[name] =
               near.empty() ? "" : fmt::format("; did you mean {}?", fmt::join(near, ", "));
  }

private:
  host& self_;
  std::map<std::string_view, std::string> known_;
};

} // namespace

std::vector<std::string> nearest_exports(host& self, std::string_view name) {
  const std::size_t most = std::max<std::size_t>(2, name.size() / 4);
  std::vector<std::pair<std::size_t, std::string>> near;
  const auto consider = [&](std::string_view other) {
    if (const std::size_t distance = edit_distance(name, other, most); distance <= most)
      near.emplace_back(distance, other);
  };
  for (const kernel_export& e : self.kernel_exports)
    consider(e.name);
  const kmodld::read_guard reading(self.reclaimer);
  for (const kmodld::module& m : self.loader.modules())
    kmodld::for_each_symbol<elf_format>(m, [&](kmodld::address, char, std::string_view symbol) {
      constexpr std::string_view prefix = "__ksymtab_";
      if (symbol.starts_with(prefix))
        consider(symbol.substr(prefix.size()));
    });
  std::ranges::sort(near);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < near.size() && i < 3; ++i)
    out.push_back(std::move(near[i].second));
  return out;
}

void check_symbols(host& self, const module_view& view, findings& out) {
  const std::string_view license = view.tags.get("license");
  const bool gpl = kmodld::license_is_gpl_compatible(license);
  const std::set<std::string_view> imported = imported_namespaces(view);
  const version_index versions(view);
  hints hint_for(self);
  kmodld::exported_symbol symbol;
  if (self.exports.find("module_layout", true, symbol))
    check_version(view, versions, "module_layout", symbol, out);
  for (const auto& s : view.symbols()) {
    if (s.st_shndx != kmodld::elf::shn_undef || s.st_name == 0)
      continue;
    const std::string_view name = view.name_of(s);
    if (!self.exports.find(name, true, symbol)) {
      if (kmodld::elf::st_bind(s.st_info) == kmodld::elf::stb_weak ||
          name == "_GLOBAL_OFFSET_TABLE_")
        continue;
      out.wrong("unknown symbol {}{}", name, hint_for(name));
      continue;
    }
    if (symbol.gpl_only && !gpl)
      out.wrong("{} is for GPL-compatible modules only; the license is '{}'", name, license);
    check_version(view, versions, name, symbol, out);
    if (!symbol.name_space.empty() && !imported.contains(symbol.name_space))
      out.wrong("{} is in the namespace {}, which the module does not import", name,
                symbol.name_space);
  }
}

} // namespace linux_like
