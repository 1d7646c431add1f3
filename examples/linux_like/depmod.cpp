// SPDX-License-Identifier: MIT
// Which file is which module, and what needs what (depmod, modprobe of kmod).
#include "module_index.hpp"
#include "refusal.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <unordered_map>

namespace linux_like {
namespace {

std::vector<std::string> words_of(std::string_view text, char separator) {
  std::vector<std::string> out;
  std::istringstream in{std::string(text)};
  for (std::string one; std::getline(in, one, separator);)
    if (!one.empty())
      out.push_back(one);
  return out;
}

} // namespace

void module_index::scan() {
  namespace fs = std::filesystem;
  if (std::exchange(scanned_, true) || root_.empty())
    return;
  std::error_code none;
  for (const char* modules : {"lib/modules", "usr/lib/modules"})
    for (const auto& release : fs::directory_iterator(root_ / modules, none)) {
      for (const auto& entry : fs::recursive_directory_iterator(release.path(), none))
        if (!entry.is_symlink(none) && is_module_file(entry.path()))
          files_.emplace(module_name_of(entry.path()), entry.path());
      read_dependencies(release.path());
    }
  if (files_.empty()) // a plain directory of modules
    for (const auto& entry : fs::recursive_directory_iterator(root_, none))
      if (is_module_file(entry.path()))
        files_.emplace(module_name_of(entry.path()), entry.path());
}

void module_index::read_dependencies(const std::filesystem::path& release) {
  std::ifstream builtin(release / "modules.builtin");
  for (std::string line; std::getline(builtin, line);)
    builtin_.insert(module_name_of(line));
  std::ifstream dep(release / "modules.dep");
  for (std::string line; std::getline(dep, line);) {
    const std::size_t colon = line.find(':');
    if (colon == line.npos)
      continue;
    std::vector<std::string>& needs = dep_[module_name_of(line.substr(0, colon))];
    for (const std::string& file : words_of(line.substr(colon + 1), ' '))
      needs.push_back(module_name_of(file));
    std::ranges::reverse(needs); // the file names the nearest first
  }
}

std::filesystem::path module_index::find(std::string_view name) {
  scan();
  const auto found = files_.find(folded(name));
  return found == files_.end() ? std::filesystem::path{} : found->second;
}

bool module_index::is_builtin(std::string_view name) {
  scan();
  return builtin_.contains(folded(name));
}

std::vector<std::string> module_index::dependencies(std::string_view name,
                                                    const module_view& view) {
  scan();
  if (const auto found = dep_.find(folded(name)); found != dep_.end())
    return found->second;
  std::vector<std::string> out;
  for (const std::string& one : words_of(view.tags.get("depends"), ','))
    out.push_back(folded(one));
  return out;
}

std::string module_index::exporter(std::string_view symbol) {
  scan();
  if (!exporters_) {
    exporters_.emplace();
    for (const auto& [name, file] : files_)
      try {
        const byte_vector bytes = read_module_file(file);
        for (const std::string_view exported : view_module(bytes).exported_names())
          exporters_->emplace(exported, name);
      } catch (const refusal&) {
        continue; // a damaged file exports nothing; whoever loads it is told
      }
  }
  const auto found = exporters_->find(symbol);
  return found == exporters_->end() ? std::string{} : found->second;
}

std::vector<std::string> module_index::names() {
  scan();
  std::vector<std::string> out;
  for (const auto& [name, file] : files_)
    out.push_back(name);
  return out;
}

std::vector<std::string> soft_dependencies(const module_view& view, std::string_view part) {
  std::vector<std::string> out;
  for (std::string_view tag = view.tags.get("softdep"); tag.data() != nullptr;
       tag = view.tags.get_next("softdep", tag)) {
    bool wanted = false;
    for (const std::string& one : words_of(tag, ' '))
      if (one.ends_with(':'))
        wanted = one.substr(0, one.size() - 1) == part;
      else if (wanted)
        out.push_back(folded(one));
  }
  return out;
}

std::vector<std::size_t> dependency_order(std::span<const std::vector<std::string_view>> exported,
                                          std::span<const std::vector<std::string_view>> needed) {
  std::unordered_map<std::string_view, std::size_t> exporter;
  for (std::size_t i = 0; i < exported.size(); ++i)
    for (const std::string_view name : exported[i])
      exporter.emplace(name, i);
  std::vector<std::vector<std::size_t>> needs(needed.size());
  for (std::size_t i = 0; i < needed.size(); ++i) {
    for (const std::string_view name : needed[i])
      if (const auto found = exporter.find(name); found != exporter.end() && found->second != i)
        needs[i].push_back(found->second);
    std::ranges::sort(needs[i]);
    needs[i].erase(std::unique(needs[i].begin(), needs[i].end()), needs[i].end());
  }
  std::vector<std::size_t> order;
  std::vector<char> seen(needed.size());
  std::vector<std::pair<std::size_t, std::size_t>> path; // module, how many of its needs are done
  for (std::size_t root = 0; root < needed.size(); ++root) {
    if (std::exchange(seen[root], 1) == 0)
      path.emplace_back(root, 0);
    while (!path.empty()) {
      auto& [at, done] = path.back();
      if (done == needs[at].size()) {
        order.push_back(at);
        path.pop_back();
      } else if (const std::size_t next = needs[at][done++]; std::exchange(seen[next], 1) == 0) {
        path.emplace_back(next, 0);
      }
    }
  }
  return order;
}

} // namespace linux_like
