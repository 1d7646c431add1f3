// SPDX-License-Identifier: MIT
// Parts of the command `check`.
#pragma once

#include "host.hpp"
#include "module_file.hpp"

#include <fmt/format.h>

namespace linux_like {

/// Prints what was found, and counts.
class findings {
public:
  template <class... A>
  void wrong(fmt::format_string<A...> text, A&&... arguments) {
    ++errors_;
    fmt::print("  wrong: {}\n", fmt::format(text, std::forward<A>(arguments)...));
  }
  template <class... A>
  void note(fmt::format_string<A...> text, A&&... arguments) {
    ++notes_;
    fmt::print("  note: {}\n", fmt::format(text, std::forward<A>(arguments)...));
  }
  std::size_t errors() const { return errors_; }
  std::size_t notes() const { return notes_; }

private:
  std::size_t errors_ = 0, notes_ = 0;
};

/// Every symbol wanted: is it exported, to this module, with this CRC, in a namespace it imports?
void check_symbols(host& self, const module_view& view, findings& out);

/// Layout, memory and every relocation.
void check_relocations(host& self, kmodld::byte_view bytes, findings& out);

/// The exports most like `name`, nearest first, three at most, and only if they are alike at all.
std::vector<std::string> nearest_exports(host& self, std::string_view name);

} // namespace linux_like
