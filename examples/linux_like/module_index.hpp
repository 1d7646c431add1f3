// SPDX-License-Identifier: MIT
// The modules below a root directory (ROOT/lib/modules/RELEASE), found by name, and what they
// depend on: what depmod and modprobe know.
#pragma once

#include "module_file.hpp"

#include <map>
#include <optional>
#include <set>

namespace linux_like {

class module_index {
public:
  /// Empty: no modules. Nothing is read before the first question.
  explicit module_index(std::filesystem::path root) : root_(std::move(root)) {}

  /// The file of a module; empty if there is none.
  std::filesystem::path find(std::string_view name);
  /// Whether the kernel has it built in (modules.builtin).
  bool is_builtin(std::string_view name);
  /// Names of the modules that must be loaded before: from modules.dep, else from the `depends` tag
  /// of `view`; nearest last.
  std::vector<std::string> dependencies(std::string_view name, const module_view& view);
  /// Which module exports a symbol, by looking into all of them, once; empty if none does.
  std::string exporter(std::string_view symbol);
  /// All names, sorted.
  std::vector<std::string> names();

private:
  void scan();
  void read_dependencies(const std::filesystem::path& release);

  std::filesystem::path root_;
  bool scanned_ = false;
  std::map<std::string, std::filesystem::path, std::less<>> files_;
  std::set<std::string, std::less<>> builtin_;
  std::map<std::string, std::vector<std::string>, std::less<>> dep_; ///< modules.dep
  std::optional<std::map<std::string, std::string, std::less<>>> exporters_;
};

/// Names in the `pre:` or `post:` part of all `softdep` tags.
std::vector<std::string> soft_dependencies(const module_view& view, std::string_view part);

/// Modules in an order in which each comes behind those whose exports it needs; which have none.
/// `exported[i]` and `needed[i]` are names of module i. A circle is broken somewhere: the loader
/// refuses its members.
std::vector<std::size_t> dependency_order(std::span<const std::vector<std::string_view>> exported,
                                          std::span<const std::vector<std::string_view>> needed);

} // namespace linux_like
