// SPDX-License-Identifier: MIT
// The hosts that link all modules of a kernel: their policies, and what differs between them. Code
// of modules is never run.
#pragma once

#include "linux_lookup.hpp"
#include "linux_loop.hpp"

#include <kmodld/hosted/arena.hpp>
#include <kmodld/hosted/mprotect.hpp>
#include <kmodld/kmodld.hpp>
#include <kmodld/linux/parameters.hpp>
#include <kmodld/linux/sysfs.hpp>
#include <kmodld/policy/notifier_chain.hpp>
#include <kmodld/policy/symbol_table.hpp>

namespace kmodld::bench {

using x86_64 = arch::x86_64;

/// What linking takes, and nothing around it: no symbol tables, no versions; the relocation types
/// that Linux's loader serves, so that nobody looks for what needs a GOT.
struct bare_abi : abi::linux_6_12 {
  static constexpr bool wide_relocations = false;
  static constexpr bool kallsyms = false;
  static constexpr bool modversions = false;
  static constexpr bool build_id = false;
};

/// The steps of a load that make a module's memory what it has to be.
template <class C>
using link_steps =
    pipeline<steps::module_sig_check, steps::elf_header_check<C>, steps::setup_load_info<C>,
             steps::rewrite_section_headers<C>, steps::layout_and_allocate<C>,
             steps::add_unformed_module, steps::module_unload_init, steps::find_module_sections,
             steps::simplify_symbols<C>, steps::apply_relocations<C>, steps::complete_formation,
             steps::free_copy, steps::do_init_module>;

using export_table = symbol_table<hosted::arena>;

/// (1) kmodld linking.
struct link_host {
  using arch = x86_64;
  using abi = bare_abi;
  using allocator = hosted::arena&;
  using symbol_resolver = export_table&;
  using protector = hosted::mprotect_protector&;
  using notifier = no_notifier;
  using verifier = no_signatures;
  using invoker = no_invoker;
  template <class C>
  using pipeline = link_steps<C>;
};

/// (2) The same without lookup and relocation: what checking, placing and copying cost. Every name
/// has one value; the walk over the symbols stays.
struct one_answer {
  bool find(std::string_view, bool, exported_symbol&) noexcept { return false; } // no duplicates
  void find_batch(symbol_query* queries, std::size_t count) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
      queries[i].symbol = {.value = {0x10000}};
      queries[i].found = true;
    }
  }
};
struct copy_host : link_host {
  using symbol_resolver = one_answer;
  template <class C>
  using pipeline = drop_step<link_steps<C>, steps::apply_relocations<C>>;
};

/// (3) Linux's algorithms for both, in the same memory with the same protection.
class linux_resolver {
public:
  linux_lookup* tables = nullptr;

  bool find(std::string_view name, bool gpl_ok, exported_symbol& out) noexcept {
    linux_lookup::owner const* from = nullptr;
    auto const* e = tables->find(name.data(), gpl_ok, from); // names of an image end with NUL
    if (e == nullptr)
      return false;
    auto const* field = reinterpret_cast<char const*>(&e->value);
    bool const kernel = from->record == nullptr;
    out = {.value = kernel ? address{0x10000}
                           : address{reinterpret_cast<std::uintptr_t>(field) +
                                     static_cast<u64>(i64{e->value})},
           .owner = from->record};
    return true;
  }
};
struct linux_relocations {
  static constexpr std::string_view name = "apply_relocations"sv;
  using image_type = elf::image<x86_64::format>;
  using needs = types<image_type, load_info, section_table, arch_state<x86_64>, resolved_symbols>;
  using mutates = types<module_record>;

  template <class Env>
  static errc run(Env& env, image_type const& image, load_info const& info,
                  section_table const& table, arch_state<x86_64> const&,
                  resolved_symbols const& symbols, module_record&) noexcept {
    // Linux's simplify_symbols writes the values into its copy of the symbol table.
    auto const all = image.entries<x86_64::format::sym>(info.sym);
    auto copy = env.template scratch<x86_64::format::sym>(all.size());
    for (std::size_t i = 0; i < copy.size(); ++i) {
      copy[i] = all[i];
      copy[i].st_value = symbols.values[i];
    }
    for (u32 i = 1; i < table.file_count; ++i) {
      if (table[i].type != elf::sht_rela)
        continue;
      section_entry const& target = table[image.section(i).sh_info];
      if (!target.allocated() || !target.placed())
        continue;
      if (linux_loop_pointer(
              {target.bytes(), target.target, {}, image.entries<x86_64::relocation>(i)},
              copy.data()) != 0)
        return errc::reloc_overflow;
    }
    return errc::ok;
  }
};
/// Enters the module's tables, newest first, where kmodld enters its exports.
struct linux_exports {
  static constexpr std::string_view name = "linux_exports"sv;
  using mutates = types<module_record>;

  template <class Env>
  static errc run(Env& env, module_record& m) noexcept {
    auto table_of = [](module_table const& t) {
      return linux_lookup::table{reinterpret_cast<linux_lookup::entry const*>(t.host), t.count};
    };
    auto& owners = env.policy().symbol_resolver.tables->owners;
    owners.insert(std::next(owners.begin()),
                  {table_of(m->sections.syms), table_of(m->sections.gpl_syms), m.record});
    return errc::ok;
  }
};
struct linux_host : link_host {
  using symbol_resolver = linux_resolver;
  template <class C>
  using pipeline =
      insert_step<replace_step<link_steps<C>, steps::apply_relocations<C>, linux_relocations>,
                  steps::free_copy, linux_exports>;
};

/// (4) Everything that load_module does.
struct step_clock {
  struct row {
    std::string_view step;
    u64 ticks = 0;
  };
  std::vector<row> rows;
  std::size_t at = 0;
  u64 start = 0;

  int enter(std::string_view step) noexcept {
    if (at == rows.size())
      rows.push_back({step});
    start = __builtin_ia32_rdtsc();
    return 0;
  }
  void leave(std::string_view step, errc) noexcept {
    rows[at++].ticks += __builtin_ia32_rdtsc() - start;
    if (step == "do_init_module"sv)
      at = 0;
  }
  void undone(std::string_view) noexcept {}
};
/// The area of per-CPU data; nothing is given back before the end.
struct percpu_bytes {
  std::vector<std::byte> bytes = std::vector<std::byte>(std::size_t{16} << 20);
  u64 used = 64;

  address allocate(u64 size, u64 align) noexcept {
    u64 const at = round_up(used, align);
    if (at + size > bytes.size())
      return {};
    used = at + size;
    return {at};
  }
  void release(address, u64) noexcept {}
  void initialise(address at, byte_view from) noexcept {
    std::memcpy(bytes.data() + at.value, from.data(), from.size());
  }
};
using parameter_policy = linux_parameters<x86_64::format, hosted::arena&>;
using sysfs = sysfs_tree<x86_64::format, parameter_policy>;
struct sysfs_policy {
  sysfs* tree = nullptr;
  int create(sysfs_part part, module& m) noexcept { return tree->create(part, m); }
  void remove(sysfs_part part, module& m) noexcept { tree->remove(part, m); }
  void announce(module& m) noexcept { tree->announce(m); }
};
struct full_host {
  using arch = x86_64;
  using abi = abi::linux_6_12;
  using allocator = hosted::arena&;
  using symbol_resolver = export_table&;
  using protector = hosted::mprotect_protector&;
  using notifier = notifier_chain&;
  using percpu = percpu_bytes&;
  using verifier = no_keys_verifier;
  using invoker = no_invoker;
  using parameters = parameter_policy&;
  using introspection = sysfs_policy&;
};
struct clocked_host : full_host {
  using tracer = step_clock&;
};

} // namespace kmodld::bench
