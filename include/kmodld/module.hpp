// SPDX-License-Identifier: MIT
// What the loader knows of a module: its own bookkeeping where Linux has struct module.
//
// The record is the same type for every architecture: tables of the module are kept as address,
// pointer and count, and the headers in linux/ know their entries.
#pragma once

#include <kmodld/linux/address_list.hpp>
#include <kmodld/policy/allocator.hpp>
#include <kmodld/text.hpp>

#include <atomic>

namespace kmodld {

/// Linux's values. unformed: being built or torn down, seen by nobody but the duplicate check.
enum class module_state : u8 { live = 0, coming = 1, going = 2, unformed = 3 };

/// One allocation of a module. The ends are cumulative offsets from the start, as in Linux before
/// 6.4: [0, text) executable, [text, ro) read-only, [ro, ro_after_init), the rest writable. A
/// memory of one kind (6.4 and later) has them all 0.
struct module_memory {
  region memory{};
  memory_kind kind = memory_kind::core;
  u32 text_size = 0;
  u32 ro_size = 0;
  u32 ro_after_init_size = 0;
};

/// A table inside a module's memory: `count` entries of `entry_size` bytes.
struct module_table {
  address target{};
  std::byte* host = nullptr;
  u32 count = 0;
  u32 entry_size = 0;

  constexpr explicit operator bool() const noexcept { return count != 0; }
  constexpr u64 size() const noexcept { return u64{count} * entry_size; }
};

/// find_module_sections: the tables that a kernel registers for a module, by their kernel names.
struct module_sections {
  module_table kp;             ///< __param
  module_table syms;           ///< __ksymtab
  module_table crcs;           ///< __kcrctab
  module_table gpl_syms;       ///< __ksymtab_gpl
  module_table gpl_crcs;       ///< __kcrctab_gpl
  module_table ctors;          ///< .ctors or .init_array
  module_table noinstr_text;   ///< .noinstr.text
  module_table tracepoints;    ///< __tracepoints_ptrs
  module_table srcu_structs;   ///< ___srcu_struct_ptrs
  module_table bpf_raw_events; ///< __bpf_raw_tp_map
  module_table btf;            ///< .BTF; in the image, gone after init
  module_table jump_entries;   ///< __jump_table
  module_table trace_events;   ///< _ftrace_events
  module_table trace_evals;    ///< _ftrace_eval_map
  module_table trace_bprintk;  ///< __trace_printk_fmt
  module_table ftrace_callsites;
  module_table ei_funcs;     ///< _error_injection_whitelist
  module_table kprobes_text; ///< .kprobes.text
  module_table kprobe_blacklist;
  module_table printk_index;
  module_table static_call_sites;
  module_table kunit_suites;
  module_table extable;        ///< __ex_table
  module_table ddebug;         ///< __dyndbg
  module_table ddebug_classes; ///< __dyndbg_classes
  module_table bug_table;      ///< __bug_table; set by complete_formation
  module_table kcfi_traps;     ///< __kcfi_traps; set by complete_formation
};

/// A symbol table for address -> name and name -> address: entries of the module's ELF class.
struct kallsyms_table {
  std::byte const* symtab = nullptr;
  u32 count = 0;
  byte_view strtab;
  char const* typetab = nullptr; ///< one letter a symbol
};

/// A kept section, for sysfs and debuggers. The name lives in the module's records.
struct section_attribute {
  std::string_view name;
  address target;
  byte_view bytes;
  bool note = false;
};

struct module;

/// `user` uses symbols of `used` (Linux: struct module_use); a member of two lists.
struct module_use {
  module* user;
  module* used;
  module_use* next_source;       ///< in used->source_list
  module_use* next_target;       ///< in user->target_list
  module_use** source = nullptr; ///< what points to it in used->source_list
};

struct module {
  static constexpr std::size_t name_capacity = 60; ///< with NUL: 56 on 64-bit targets, 60 on 32-bit
  static constexpr std::size_t max_memories = 7;

  char name_text[name_capacity] = {};
  std::atomic<module_state> state{module_state::unformed};
  std::atomic<u32> refcnt{0}; ///< 1 + users; 0 once it must not be used any more
  /// A place in a list that readers walk; `link` is what points here, for writers.
  struct place {
    std::atomic<module*> next{nullptr};
    std::atomic<module*>* link = nullptr;
  };
  place in_list;   ///< of all
  place in_bucket; ///< of those whose names end in the same bucket
  u32 name_hash = 0;

  u32 taints = 0; ///< bits of linux/taint.hpp
  bool sig_ok = false;
  bool livepatch = false;
  bool using_gplonly_symbols = false;
  bool async_probe_requested = false;
  bool forced = false; ///< something was missing and loaded by force

  module_memory memories[max_memories];
  address_node nodes[max_memories]; ///< of the memories, in the list's index by address
  /// Init memory stands last: giving it back lowers the count, and the entries stay as they were
  /// for readers that are still on them.
  std::atomic<u8> memory_count{0};
  bool protected_memory = false;
  address percpu;
  u64 percpu_size = 0;

  address init; ///< 0: none
  address exit; ///< 0: none
  module_sections sections;

  /// The sorted exception table that readers use now; entries of init are gone once it has run.
  std::atomic<module_table const*> extable{nullptr};
  module_table core_extable;

  std::atomic<kallsyms_table const*> kallsyms{nullptr}; ///< what readers use now
  kallsyms_table full_kallsyms;
  kallsyms_table core_kallsyms;

  module_use* source_list = nullptr; ///< who uses me
  module_use* target_list = nullptr; ///< whom I use

  std::span<std::string_view> export_names; ///< as entered into the resolver; own copies
  std::span<char> args;                     ///< own copy, cut up by parse_args; NUL-terminated
  std::string_view version;
  std::string_view srcversion;
  byte_view build_id;
  std::span<section_attribute> section_attributes;
  byte_view livepatch_elf; ///< header, section headers, names (copy_module_elf)
  u32 livepatch_symtab = 0;
  bool on_bug_list = false;
  bool init_over = false; ///< nothing of the load still works on the record; under the lock
  bool in_sysfs = false;
  bool param_busy = false;         ///< a parameter is being set or read; under the lock
  u32 freed_elements = 0;          ///< of parameter arrays, by linux_parameters
  std::atomic<u32> sysfs_parts{0}; ///< one bit a sysfs_part, for the model in linux/sysfs.hpp

  void* host_data = nullptr; ///< for the host's policies; the loader never looks at it

  std::string_view name() const noexcept { return c_string(name_text); }

  std::span<module_memory> all_memories() noexcept {
    return {memories, memory_count.load(std::memory_order_acquire)};
  }
  std::span<module_memory const> all_memories() const noexcept {
    return {memories, memory_count.load(std::memory_order_acquire)};
  }

  /// The host pointer for `size` bytes of the module's memory at `a`; null if they do not all lie
  /// in one of its regions.
  std::byte* host(address a, u64 size) const noexcept {
    for (module_memory const& m : all_memories())
      if (a - m.memory.target < m.memory.size && size <= m.memory.size - (a - m.memory.target))
        return m.memory.at(a);
    return nullptr;
  }

  /// The same, only if the module itself may write there now: neither code nor constants, nor, once
  /// init is over, what is read-only then. What a module's tables name is not to be trusted: a
  /// parameter that points into text must not be set through the loader's own view of the memory.
  std::byte* writable_host(address a, u64 size) const noexcept {
    module_state const now = state.load(std::memory_order_relaxed);
    bool const sealed = now == module_state::live || now == module_state::going;
    for (module_memory const& m : all_memories()) {
      u64 const offset = a - m.memory.target;
      if (offset >= m.memory.size || size > m.memory.size - offset)
        continue;
      switch (m.kind) {
      case memory_kind::data:
      case memory_kind::init_data: return m.memory.host + offset;
      case memory_kind::ro_after_init: return sealed ? nullptr : m.memory.host + offset;
      case memory_kind::core:
      case memory_kind::init:
        return offset >= (sealed ? m.ro_after_init_size : m.ro_size) ? m.memory.host + offset
                                                                     : nullptr;
      default: return nullptr;
      }
    }
    return nullptr;
  }

  /// Whether `size` bytes at `a` are code that stays as long as the module does, which that of init
  /// does not: within_module_mem_type(MOD_TEXT), before 6.4 core's first text_size bytes. Padding
  /// behind the code counts.
  bool in_text(address a, u64 size) const noexcept {
    for (module_memory const& m : all_memories()) {
      u64 const text = m.kind == memory_kind::text   ? m.memory.size
                       : m.kind == memory_kind::core ? m.text_size
                                                     : 0;
      u64 const offset = a - m.memory.target;
      if (offset < text && size <= text - offset)
        return true;
    }
    return false;
  }

  /// A table of names that all begin in one huge string must not make a load quadratic.
  static constexpr std::size_t longest_string = 4096;

  /// The NUL-terminated string at `a` in the module's memory; null data if there is none or it is
  /// longer than longest_string.
  std::string_view string(address a) const noexcept {
    for (module_memory const& m : all_memories())
      if (m.memory.contains(a)) {
        byte_view rest{m.memory.at(a),
                       static_cast<std::size_t>(m.memory.size - (a - m.memory.target))};
        std::string_view text = head(as_text(rest), longest_string + 1);
        std::size_t end = index_of(text, '\0');
        return end == text.size() ? std::string_view{} : head(text, end);
      }
    return {};
  }
};

} // namespace kmodld
