// SPDX-License-Identifier: MIT
// The kernel in this process: the Config, its policies and the loader, as one object.
#pragma once

#include "hooks.hpp"
#include "own_parameters.hpp"
#include "percpu_area.hpp"
#include "policies.hpp"
#include "recorder.hpp"
#include "signatures/keyring.hpp"

#include <kmodld/hosted/arena.hpp>
#include <kmodld/hosted/epoch_reclaimer.hpp>
#include <kmodld/hosted/mprotect.hpp>
#include <kmodld/hosted/mutex_lock.hpp>
#include <kmodld/linux/parameters.hpp>
#include <kmodld/linux/proc_modules.hpp>
#include <kmodld/linux/sysfs.hpp>
#include <kmodld/policy/notifier_chain.hpp>
#include <kmodld/policy/symbol_table.hpp>

#include <deque>
#include <filesystem>
#include <memory>
#include <optional>

namespace linux_like {

using elf_format = kmodld::arch::x86_64::format;
using export_table = kmodld::symbol_table<heap_memory, kmodld::hosted::epoch_reclaimer>;
using parameter_policy =
    kmodld::linux_parameters<elf_format, kmodld::hosted::arena&, own_parameters, log_diagnostics,
                             kmodld::hosted::spinning_mutex&>;

/// What the /sys tree tells this host.
struct sysfs_events : kmodld::sysfs_host {
  std::function<void(kmodld::module&, const kmodld::kernel_param&)> on_dangerous;

  void dangerous(kmodld::module& m, const kmodld::kernel_param& p) noexcept { on_dangerous(m, p); }
  void uevent(kmodld::module& m, std::string_view action, std::string_view) noexcept {
    log(7, "uevent: " + std::string(action) + "@/module/" + std::string(m.name()));
  }
};
using sysfs = kmodld::sysfs_tree<elf_format, parameter_policy, sysfs_events>;

/// Linux 6.1 as Debian builds it, but with constructors (CONFIG_CONSTRUCTORS), for C++.
struct linux_abi : kmodld::abi::linux_6_1 {
  static constexpr bool constructors = true;
};

struct config {
  using arch = kmodld::arch::x86_64;
  using abi = linux_abi;
  using allocator = kmodld::hosted::arena&;
  using symbol_resolver = export_table&;
  using protector = kmodld::hosted::mprotect_protector&;
  using notifier = kmodld::notifier_chain&;
  using lock = kmodld::hosted::mutex_lock&;
  using percpu = percpu_area&;
  using verifier = keyring&;
  using invoker = guarded_invoker&;
  using parameters = parameter_policy&;
  using introspection = sysfs_policy<sysfs>&;
  using tracer = recorder&;
  using diagnostics = log_diagnostics;
  using reclaimer = kmodld::hosted::epoch_reclaimer&;
  using hooks = module_hooks&;
};

struct host_options {
  bool link_only = false; ///< code of modules is never run
  std::string vermagic;   ///< empty: modules of every version
  std::filesystem::path kernel_exports;
  std::filesystem::path root;
  std::vector<std::filesystem::path> keys; ///< files with certificates, or kernels
  bool enforce_signatures = false;
};

/// An export of the kernel itself.
struct kernel_export {
  std::string name;
  std::string name_space;
  kmodld::address value;
  bool made_up = false; ///< nothing is there
  bool gpl_only = false;
};

class host {
public:
  explicit host(host_options options);
  ~host();
  host(const host&) = delete;
  host& operator=(const host&) = delete;

  /// init_module. Throws refusal.
  void load(kmodld::byte_view image, std::string_view arguments = {},
            kmodld::load_flags flags = {});
  /// delete_module. Throws refusal.
  void unload(std::string_view name, bool force);

  /// A symbol of a module (`name` or `module:name`), else an export of the kernel; 0 if none.
  kmodld::address find_symbol(std::string_view name);
  /// `symbol+0x12/0x40 [module]`; the number alone where nobody knows it. Callable in a trap.
  std::string describe(kmodld::address a);
  /// Replaces each address behind " at " in a fault's text.
  std::string explain(const std::string& oops);
  /// The module of this name; dashes and underscores are the same.
  kmodld::module_ref find_module(std::string_view name);

  const host_options options;

  heap_memory table_memory;
  kmodld::hosted::epoch_reclaimer reclaimer;
  kmodld::hosted::arena memory;
  kmodld::hosted::mprotect_protector protector{memory};
  export_table exports{table_memory, reclaimer, {.bounded_by = {{0x200000}, {0x7fffffff}}}};
  std::deque<kernel_export> kernel_exports;                       ///< by address; never moved
  std::map<std::string, std::string, std::less<>> module_exports; ///< symbol -> who would export it
  kmodld::notifier_chain notifiers;
  kmodld::hosted::mutex_lock lock;
  std::unique_ptr<std::byte[]> spare_percpu; ///< where no code runs, so that %gs does not matter
  percpu_area percpu;
  keyring keys;
  guarded_invoker invoker;
  std::vector<kmodld::param_ops> parameter_types;
  kmodld::hosted::spinning_mutex values_mutex;
  parameter_policy parameters;
  sysfs_policy<sysfs> introspection;
  recorder tracer;
  module_hooks hooks;
  kmodld::loader<config> loader;
  sysfs_events events;
  sysfs tree;

  /// Logs that code of a module faulted; the command that called it is refused with EFAULT.
  void note_oops(const std::string& oops);
  /// Throws refusal if there was one since the last load or unload began.
  void expect_no_oops() const;

private:
  void add_exports();
  void add_keys();
  void give_addresses();

  std::string last_oops_;
  std::optional<environment> environment_;
  kmodld::notifier_node announcer_;
  kmodld::region made_up_;
};

} // namespace linux_like
