// SPDX-License-Identifier: MIT
// Tracer policy: sees every step, its undo and its time; can make a step fail (fault injection).
#pragma once

#include <kmodld/errc.hpp>

#include <concepts>
#include <string_view>

namespace kmodld {

template <class T>
concept tracer_policy = requires(T& t, std::string_view step, errc result) {
  // Before a step. 0 lets it run; a positive errno makes it fail without running.
  { t.enter(step) } noexcept -> std::same_as<int>;
  // After a step ran.
  { t.leave(step, result) } noexcept;
  // An undo action or an item of unloading has been done. `action` is the kernel's name for it,
  // such as "mod_sysfs_teardown".
  { t.undone(step) } noexcept;
};

struct no_tracer {
  int enter(std::string_view) noexcept { return 0; }
  void leave(std::string_view, errc) noexcept {}
  void undone(std::string_view) noexcept {}
};
using tracer_archetype = no_tracer;
static_assert(tracer_policy<no_tracer>);

} // namespace kmodld
