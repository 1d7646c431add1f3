// SPDX-License-Identifier: MIT
// Notifier policy: who is told that a module comes, lives and goes.
#pragma once

#include <kmodld/address.hpp>

#include <concepts>

namespace kmodld {

struct module;

/// `coming`: relocated, protected, exports visible, init not run. `live`: init has succeeded.
/// `going`: exit has run, or init failed, or a later step failed; memory still there.
enum class module_event : u8 { coming, live, going };

/// Linux's module notifier chain. Called without the loader's lock.
template <class N>
concept notifier_policy = requires(N& n, module_event event, module& m) {
  // 0, or for `coming` a positive errno that refuses the module. Whoever accepted it before within
  // this notifier must have been told `going` by then (a chain rolls itself back): after a refusal
  // the loader does not send `going`. Results of the other events are ignored.
  { n.notify(event, m) } noexcept -> std::same_as<int>;
};

/// The least that satisfies the concept, and the null model: nobody is told.
struct no_notifier {
  int notify(module_event, module&) noexcept { return 0; }
};
using notifier_archetype = no_notifier;
static_assert(notifier_policy<no_notifier>);

} // namespace kmodld
