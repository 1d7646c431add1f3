// SPDX-License-Identifier: MIT
// modprobe: a module of --root by its name, with what it needs.
#include "commands.hpp"

#include <set>

namespace linux_like::commands {
namespace {

class prober {
public:
  explicit prober(shell& self) : self_(self) {}

  void load(const std::string& name, const std::string& parameters) {
    if (self_.host.find_module(name) || self_.index.is_builtin(name))
      return;
    if (!under_way_.insert(folded(name)).second)
      return; // a circle; the loader says what is missing
    const auto file = self_.index.find(name);
    if (file.empty())
      throw refusal(ENOENT, fmt::format("module {} not found below {}", name,
                                        self_.host.options.root.empty()
                                            ? "--root, which was not given"
                                            : self_.host.options.root.string()));
    const byte_vector bytes = read_module_file(file);
    const module_view view = view_module(bytes);
    try_soft(view, "pre");
    for (const std::string& needed : self_.index.dependencies(name, view))
      load(needed, {});
    load_exporters(view);
    self_.host.load(bytes, parameters);
    try_soft(view, "post");
  }

private:
  /// What neither modules.dep nor the module names, but exports a symbol that is missing.
  void load_exporters(const module_view& view) {
    for (const std::string_view symbol : view.needed_names()) {
      kmodld::exported_symbol found;
      if (self_.host.exports.find(symbol, true, found) || symbol == "_GLOBAL_OFFSET_TABLE_")
        continue;
      if (const std::string owner = self_.index.exporter(symbol); !owner.empty())
        load(owner, {});
    }
  }

  /// Soft dependencies may be missing or fail.
  void try_soft(const module_view& view, std::string_view part) {
    for (const std::string& name : soft_dependencies(view, part))
      try {
        load(name, {});
      } catch (const refusal& no) {
        log(5, fmt::format("modprobe: soft dependency {}: {}", name, text_of(no)));
      }
  }

  shell& self_;
  std::set<std::string> under_way_;
};

} // namespace

void modprobe(shell& self, words given) {
  expect_words(given, 1, ~std::size_t{0}, "modprobe NAME [param=value ...]");
  prober(self).load(given[0].text, joined_parameters(given.subspan(1)));
}

} // namespace linux_like::commands
