// SPDX-License-Identifier: MIT
// Diagnostics: one line a report, in the words of the kernel's log.
#pragma once

#include <kmodld/error_text.hpp>
#include <kmodld/policy/diagnostics.hpp>

#include <cstdio>

namespace kmodld::hosted {

class stdio_diagnostics {
public:
  stdio_diagnostics() noexcept : stdio_diagnostics{stderr} {}
  /// The stream stays open; it must outlive this.
  explicit stdio_diagnostics(std::FILE* out) noexcept : out_{out} {}

  void report(error const& e) noexcept {
    char line[512];
    std::size_t length = format(e, line);
    length = length < sizeof line ? length : sizeof line - 1;
    for (std::size_t i = 0; i < length; ++i) // names come from files and may hold anything
      if (static_cast<unsigned char>(line[i]) < ' ' || line[i] == 0x7f)
        line[i] = '?';
    line[length] = '\n'; // where the NUL was: one write, so that threads do not mix lines
    std::fwrite(line, 1, length + 1, out_);
  }

private:
  std::FILE* out_;
};
static_assert(diagnostics_policy<stdio_diagnostics>);

} // namespace kmodld::hosted
