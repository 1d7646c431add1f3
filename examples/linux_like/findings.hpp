// SPDX-License-Identifier: MIT
// What `check` finds.
#pragma once

#include "refusal.hpp"

#include <fmt/format.h>

namespace linux_like {

/// Prints what was found, and counts.
class findings {
public:
  template <class... A>
  void wrong(fmt::format_string<A...> text, A&&... arguments) {
    ++errors_;
    fmt::print("  wrong: {}\n", printable(fmt::format(text, std::forward<A>(arguments)...)));
  }
  template <class... A>
  void note(fmt::format_string<A...> text, A&&... arguments) {
    ++notes_;
    fmt::print("  note: {}\n", printable(fmt::format(text, std::forward<A>(arguments)...)));
  }
  std::size_t errors() const { return errors_; }
  std::size_t notes() const { return notes_; }

private:
  std::size_t errors_ = 0, notes_ = 0;
};

} // namespace linux_like
