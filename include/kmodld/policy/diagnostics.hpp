// SPDX-License-Identifier: MIT
// Diagnostics policy: is told warnings, notes and errors as they happen (the kernel's log).
#pragma once

#include <kmodld/error.hpp>

#include <concepts>

namespace kmodld {

template <class D>
concept diagnostics_policy = requires(D& d, error const& e) {
  // Every error of a load, also those after which it goes on to find more (each unknown symbol,
  // each bad parameter), and notes (errno 0). The record is valid during the call; copy it to keep.
  { d.report(e) } noexcept;
};

struct no_diagnostics {
  void report(error const&) noexcept {}
};
using diagnostics_archetype = no_diagnostics;
static_assert(diagnostics_policy<no_diagnostics>);

} // namespace kmodld
