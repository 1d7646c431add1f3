// SPDX-License-Identifier: MIT
// Small policies of this host: the log, sysfs, calls of modules.
#pragma once

#include "env/environment.hpp"
#include "env/log.hpp"
#include "heap_memory.hpp"
#include "refusal.hpp"

#include <kmodld/kmodld.hpp>
#include <kmodld/linux/sysfs.hpp>

#include <functional>

namespace linux_like {

/// What the loader reports goes to dmesg.
struct log_diagnostics {
  void report(const kmodld::error& error) noexcept {
    log(error.os_errno() == 0 ? 4 : 3, text_of(error));
  }
};
static_assert(kmodld::diagnostics_policy<log_diagnostics>);

/// Hands on to the tree, which is made after the loader, whose list it shows.
template <class Tree>
struct sysfs_policy {
  Tree* tree = nullptr;
  int create(kmodld::sysfs_part part, kmodld::module& m) noexcept { return tree->create(part, m); }
  void remove(kmodld::sysfs_part part, kmodld::module& m) noexcept { tree->remove(part, m); }
  void announce(kmodld::module& m) noexcept { tree->announce(m); }
};

/// Calls code of modules so that a fault ends the call, not the program. With `link_only` nothing
/// is ever called.
struct guarded_invoker {
  bool link_only = false;
  /// Told the fault in words, such as "SIGSEGV at 0x7f001234".
  std::function<void(const std::string&)> on_oops;

  int init(kmodld::module&, kmodld::address function) noexcept {
    int result = 0;
    return run(function, result) ? result : -kmodld::e_fault;
  }
  void exit(kmodld::module&, kmodld::address function) noexcept {
    int ignored = 0;
    run(function, ignored);
  }
  void construct(kmodld::module&, kmodld::address function) noexcept {
    int ignored = 0;
    run(function, ignored);
  }

  bool run(kmodld::address function, int& result) noexcept {
    return link_only || guard([&] { result = kmodld::direct_invoker::pointer(function)(); });
  }
  bool guard(const std::function<void()>& code) noexcept {
    std::string oops;
    const bool finished = run_guarded(code, oops);
    if (!finished)
      on_oops(oops);
    return finished;
  }
};
static_assert(kmodld::invoker_policy<guarded_invoker>);

} // namespace linux_like
