// SPDX-License-Identifier: MIT
// What Linux does in other subsystems while a module loads: call sites of the function tracer
// become nops, debug messages can be switched on.
#pragma once

#include <kmodld/hosted/mprotect.hpp>
#include <kmodld/kmodld.hpp>
#include <kmodld/linux/dynamic_debug.hpp>

#include <map>
#include <string>
#include <vector>

namespace linux_like {

class module_hooks {
public:
  /// `fentry` is the export that call sites call.
  module_hooks(kmodld::hosted::mprotect_protector& protector, kmodld::address fentry)
      : protector_(protector), fentry_(fentry) {}

  /// Every entry of __mcount_loc must be a call of __fentry__, or a nop already; then all of them
  /// become nops. EINVAL, and nothing is changed, if one is something else.
  int ftrace_init(kmodld::module& m) noexcept;
  void ftrace_enable(kmodld::module&) noexcept {}
  void ftrace_release(kmodld::module& m) noexcept { call_sites_.erase(&m); }
  /// How many call sites of the module became nops.
  std::size_t call_sites(const kmodld::module& m) const;

  int ddebug_add(kmodld::module& m) noexcept;
  int ddebug_query(kmodld::module& m, std::string_view query) noexcept;
  void ddebug_remove(kmodld::module& m) noexcept { std::erase(debugged_, &m); }

  /// The text of /proc/dynamic_debug/control.
  std::string debug_control() const;
  /// What is written there; messages meant, or -EINVAL.
  int debug_write(std::string_view queries);

private:
  using format = kmodld::arch::x86_64::format;

  static kmodld::dynamic_debug<format> messages(const kmodld::module& m) {
    return {m, m.sections.ddebug, m.sections.ddebug_classes};
  }
  int run_queries(kmodld::module& m, std::string_view queries, std::string_view module);
  void switch_key(kmodld::module& m, kmodld::u32 index, bool enabled);

  kmodld::hosted::mprotect_protector& protector_;
  kmodld::address fentry_;
  std::map<const kmodld::module*, std::size_t> call_sites_;
  std::vector<kmodld::module*> debugged_;
};
static_assert(kmodld::ftrace_hook<module_hooks>);
static_assert(kmodld::dynamic_debug_hook<module_hooks>);

} // namespace linux_like
