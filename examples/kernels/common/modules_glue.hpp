// SPDX-License-Identifier: MIT
// What this kernel adds to have modules: the policies that kmodld asks a host for, the Config that
// names them, and a loader with the hooks through which traps ask about modules.
//
// Of the kernel it uses: module_space (module_space.hpp has the contracts), kernel_heap,
// paging::protect, machine::sync_instructions, kernel_symbol, print; for traps the two hooks that
// module_system sets, module_symbols and traps::find_module_fixup.
#pragma once

#include "console.hpp"
#include "heap.hpp"
#include "machine.hpp"
#include "module_space.hpp"
#include "paging.hpp"
#include "string.hpp"
#include "symbols.hpp"
#include "traps.hpp"

#include <kmodld/kmodld.hpp>
#include <kmodld/linux/kallsyms.hpp>
#include <kmodld/linux/parameters.hpp>
#include <kmodld/policy/symbol_table.hpp>
#include <modules_machine.hpp>

namespace kernel::modules {

/// Regions of modules come as pages of the module window, the rest from the heap.
struct page_allocator {
  kmodld::memory_status allocate(kmodld::memory_request const& request,
                                 kmodld::region& out) noexcept {
    bool small = is_heap(request.kind);
    u64 at = small ? reinterpret_cast<u64>(kernel_heap.allocate(request.size, request.align))
                   : module_space::allocate(request.size, request.align);
    if (at == 0)
      return kmodld::memory_status::no_room;
    out = {{at}, reinterpret_cast<std::byte*>(at), request.size};
    if (small)
      memset(out.host, 0, out.size);
    else if (!request.reach.holds(out.target, out.size)) {
      release(request.kind, out);
      return kmodld::memory_status::out_of_reach;
    }
    return kmodld::memory_status::ok;
  }

  void release(kmodld::memory_kind kind, kmodld::region given) noexcept {
    if (is_heap(kind))
      kernel_heap.release(given.host);
    else
      module_space::release(given.target.value, given.size);
  }

private:
  static bool is_heap(kmodld::memory_kind kind) { return kind > kmodld::memory_kind::init; }
};

/// Rights in the page tables.
struct page_table_protector {
  int protect(std::span<kmodld::protection const> batch) noexcept {
    for (kmodld::protection const& p : batch) {
      rights r{p.allowed == kmodld::permission::read_write,
               p.allowed == kmodld::permission::read_execute};
      if (!paging::protect(p.memory.target.value, pages_for(p.memory.size), r))
        return kmodld::e_fault;
    }
    return 0;
  }
  void flush_icache(kmodld::region code) noexcept {
    machine::sync_instructions(code.target.value, code.size);
  }
};

/// Tells the console what happens to modules: the notifier and the diagnostics policy.
struct console_log {
  bool quiet = false;

  int notify(kmodld::module_event event, kmodld::module& m) noexcept {
    constexpr text states[] = {"is coming", "is live", "is going"};
    if (!quiet)
      print("module ", m.name(), " ", states[static_cast<u8>(event)], '\n');
    return 0;
  }
  void report(kmodld::error const& e) noexcept {
    char line[200];
    kmodld::format(e, line);
    int number = e.os_errno();
    if (!quiet)
      print("kmodld: ", number == 0 ? "note" : kmodld::errno_name(number), ": ", view_of(line),
            '\n');
  }
};

/// What the kernel itself offers to modules; the addresses come from its symbol table.
inline constexpr text own_exports =
    "_printk __kmalloc kfree memcpy memmove memset memcmp strlen strcmp __stack_chk_fail";

/// The types of parameters by the names that modules import. Only the addresses of these objects
/// matter: a module's parameter points to the one of its type.
struct param_export {
  text name;
  kmodld::param_type type;
};
inline constexpr param_export param_exports[] = {{"param_ops_bool", kmodld::param_type::bool_},
                                                 {"param_ops_int", kmodld::param_type::int_},
                                                 {"param_ops_charp", kmodld::param_type::charp}};

/// Exports have no CRCs here, so modules of any kernel are taken.
struct linux_abi : kmodld::abi::linux_of<machine_arch, kmodld::abi::linux_6_1> {
  static constexpr bool modversions = false;
};

/// One CPU: whoever reads does so in a trap, and a trap has returned before the loader goes on.
/// That is what kmodld's default reclaimer stands for. So does its default lock for one context,
/// its invoker for addresses that are pointers, its verifier for a kernel without keys.
struct config {
  using arch = machine_arch;
  using abi = linux_abi;
  using allocator = page_allocator&;
  using symbol_resolver = kmodld::symbol_table<page_allocator>&;
  using protector = page_table_protector;
  using notifier = console_log&;
  using diagnostics = console_log&;
  using parameters = kmodld::linux_parameters<arch::format, page_allocator&,
                                              kmodld::standard_parameters_only, console_log&>&;
};

/// The loader and what it is made of; there is one at a time, which traps ask about modules.
struct module_system {
  page_allocator memory;
  console_log log;
  kmodld::param_ops param_ops[std::size(param_exports)];
  kmodld::symbol_table<page_allocator> symbols{memory};
  std::remove_reference_t<config::parameters> parameters{param_ops, memory, {}, log};
  kmodld::loader<config> loader{{.allocator = memory,
                                 .symbol_resolver = symbols,
                                 .notifier = log,
                                 .parameters = parameters,
                                 .diagnostics = log},
                                {.module_window = {{module_space::first}, {module_space::last}}}};

  module_system() {
    for (text rest : {own_exports, machine_exports})
      while (!rest.empty()) {
        text name = kmodld::head(rest, kmodld::index_of(rest, ' '));
        rest = kmodld::tail(rest, name.size() + 1);
        symbols.add(name, {.value = {kernel_symbol(name)}});
      }
    for (u64 i = 0; i < std::size(param_exports); ++i) {
      param_ops[i] = {param_exports[i].type, {reinterpret_cast<u64>(&param_exports[i])}};
      symbols.add(param_exports[i].name, {.value = param_ops[i].ops});
    }
    symbols.reserve(64); // exports of modules, before the table has to grow
    current = this;
    module_symbols = symbol_at;
    traps::find_module_fixup = fixup_of;
  }
  ~module_system() {
    module_symbols = nullptr;
    traps::find_module_fixup = nullptr;
  }

private:
  using format = config::arch::format;
  using exception_table = kmodld::exception_table<format, config::abi::extable>;

  static bool symbol_at(u64 address, symbol_info& out) {
    kmodld::symbol_at s;
    if (!kmodld::find_symbol_at<format>(current->loader.modules(), {address}, s))
      return false;
    out = {s.name, s.offset, s.size, s.module};
    return true;
  }

  static u64 fixup_of(u64 instruction) {
    kmodld::module* m = current->loader.modules().find_containing({instruction});
    auto const* table = m == nullptr ? nullptr : m->extable.load(std::memory_order_acquire);
    kmodld::exception found;
    if (table == nullptr || !exception_table{*table}.find({instruction}, found))
      return 0;
    return found.data == extable_jump_only ? found.fixup.value : 0;
  }

  static inline constinit module_system* current = nullptr;
};

} // namespace kernel::modules
