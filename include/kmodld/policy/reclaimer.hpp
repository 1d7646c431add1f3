// SPDX-License-Identifier: MIT
// Reclaimer policy: when memory that readers may still look at can be given back.
#pragma once

#include <concepts>

namespace kmodld {

/// Readers (address -> symbol, the module list, kallsyms) run in traps and on other CPUs without a
/// lock, between read_enter and read_leave. What they may see is unpublished first, then the
/// loader waits with synchronize(), then memory is given back: RCU's grace period.
template <class R>
concept reclaimer_policy = requires(R& r) {
  // Nestable; any context, also a trap or an NMI; never blocks.
  { r.read_enter() } noexcept;
  { r.read_leave() } noexcept;
  // Returns when every reader that had entered before the call has left. Called without the lock
  // held only, and never by a reader.
  { r.synchronize() } noexcept;
};

/// The null model and archetype: one context, and a trap that reads has returned before the loader
/// goes on.
struct no_reclaimer {
  void read_enter() noexcept {}
  void read_leave() noexcept {}
  void synchronize() noexcept {}
};
using reclaimer_archetype = no_reclaimer;
static_assert(reclaimer_policy<no_reclaimer>);

/// A reader's section.
template <class R>
class read_guard {
public:
  explicit read_guard(R& r) noexcept : reclaimer_{r} { reclaimer_.read_enter(); }
  ~read_guard() { reclaimer_.read_leave(); }
  read_guard(read_guard const&) = delete;
  read_guard& operator=(read_guard const&) = delete;

private:
  R& reclaimer_;
};

} // namespace kmodld
