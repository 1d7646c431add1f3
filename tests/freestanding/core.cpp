// SPDX-License-Identifier: MIT
// Uses the whole core in one object that is linked with nothing: tests/parts/freestanding.sh reads
// with nm what it would need, tests/parts/tidy.sh reads it with clang-tidy.
#include "host.hpp"

#include <kmodld/arch/aarch64_843419.hpp>
#include <kmodld/arch/all.hpp>
#include <kmodld/linux/debug_query.hpp>
#include <kmodld/linux/dynamic_debug.hpp>
#include <kmodld/linux/kallsyms.hpp>
#include <kmodld/linux/parameters.hpp>
#include <kmodld/linux/patch_tables.hpp>
#include <kmodld/linux/proc_modules.hpp>
#include <kmodld/linux/sysfs.hpp>
#include <kmodld/linux/unwind_tables.hpp>
#include <kmodld/policy/symbol_chain.hpp>
#include <kmodld/reloc/branch_islands.hpp>

namespace kmodld {
namespace freestanding {

// A host with every optional policy and hook, in both layouts.
struct mutex {
  wait_status (*act)(int) noexcept;

  void lock() noexcept { act(0); }
  void unlock() noexcept { act(1); }
  wait_status wait(bool bounded) noexcept { return act(bounded ? 3 : 2); }
  void wake() noexcept { act(4); }
};
struct grace {
  void (*act)(int) noexcept;

  void read_enter() noexcept { act(0); }
  void read_leave() noexcept { act(1); }
  void synchronize() noexcept { act(2); }
};
struct cpus {
  address (*get)(u64, u64, byte_view) noexcept;

  address allocate(u64 size, u64 align) noexcept { return get(size, align, {}); }
  void release(address base, u64 size) noexcept { get(base.value, size, {}); }
  void initialise(address base, byte_view bytes) noexcept { get(base.value, 0, bytes); }
};
struct keys {
  errc (*judge)(byte_view, byte_view) noexcept;

  errc verify(byte_view content, byte_view signature) noexcept { return judge(content, signature); }
  bool enforced() noexcept { return judge({}, {}) == errc::ok; }
};
struct log {
  void (*line)(std::string_view) noexcept;

  void report(error const& e) noexcept {
    char text[160];
    std::size_t const size = format(e, text);
    line({text, size < sizeof text ? size : sizeof text - 1});
  }
};
struct watcher {
  int (*seen)(std::string_view, errc) noexcept;

  int enter(std::string_view step) noexcept { return seen(step, errc::ok); }
  void leave(std::string_view step, errc result) noexcept { seen(step, result); }
  void undone(std::string_view action) noexcept { seen(action, errc::ok); }
};
struct caller {
  int (*run)(module&, address) noexcept;

  int init(module& m, address function) noexcept { return run(m, function); }
  void exit(module& m, address function) noexcept { run(m, function); }
  void construct(module& m, address function) noexcept { run(m, function); }
};
struct subsystems {
  int (*act)(int, module*, std::string_view) noexcept;

  int finalize(module& m) noexcept { return act(0, &m, {}); }
  void cleanup(module& m) noexcept { act(1, &m, {}); }
  int ftrace_init(module& m) noexcept { return act(2, &m, {}); }
  void ftrace_enable(module& m) noexcept { act(3, &m, {}); }
  void ftrace_release(module& m) noexcept { act(4, &m, {}); }
  int ddebug_add(module& m) noexcept { return act(5, &m, {}); }
  int ddebug_query(module& m, std::string_view query) noexcept {
    dynamic_debug<elf::elf64_le> messages{m, m.sections.ddebug, m.sections.ddebug_classes};
    char text[128];
    messages.print(0, text);
    return run_debug_queries(messages, query, m.name(),
                             [&](u32, u8, u8) noexcept { act(6, &m, {}); });
  }
  void ddebug_remove(module& m) noexcept { act(7, &m, {}); }
  int klp_coming(module& m) noexcept { return act(8, &m, {}); }
  void klp_going(module& m) noexcept { act(9, &m, {}); }
  int klp_find(std::string_view, std::string_view name, u64, address& out) noexcept {
    out = {};
    return act(10, nullptr, name);
  }
  void audit(std::string_view name) noexcept { act(11, nullptr, name); }
  void trace_load(module& m) noexcept { act(12, &m, {}); }
  void trace_free(module& m) noexcept { act(13, &m, {}); }
  void async_synchronize() noexcept { act(14, nullptr, {}); }
};
static_assert(finalize_hook<subsystems, kmodld::arch::x86_64> && ftrace_hook<subsystems> &&
              dynamic_debug_hook<subsystems> && livepatch_hook<subsystems> &&
              audit_hook<subsystems> && trace_event_hook<subsystems> && async_hook<subsystems>);

/// /sys/module of one loader; it is told of the list of modules once there is a loader.
struct shown {
  int create(sysfs_part part, module& m) noexcept {
    return sysfs_parts<elf::elf64_le>::create(part, m);
  }
  void remove(sysfs_part part, module& m) noexcept { sysfs_parts<elf::elf64_le>::remove(part, m); }
  void announce(module&) noexcept {}
};

struct full_abi : abi::linux_6_1 {
  static constexpr bool constructors = true;
  static constexpr bool livepatch = true;
  static constexpr bool far_calls = true;
  static constexpr bool retpoline = true;
};
using full_parameters =
    linux_parameters<elf::elf64_le, memory&, standard_parameters_only, no_diagnostics, mutex&>;

struct full_kernel {
  using arch = kmodld::arch::x86_64;
  using abi = full_abi;
  using allocator = memory&;
  using symbol_resolver = symbol_table<memory, grace>&;
  using protector = pages&;
  using notifier = notifier_chain&;
  using lock = mutex&;
  using reclaimer = grace&;
  using percpu = cpus&;
  using verifier = keys&;
  using diagnostics = log&;
  using tracer = watcher&;
  using invoker = caller&;
  using parameters = full_parameters&;
  using introspection = shown&;
  using hooks = subsystems&;
};
struct newer_kernel : full_kernel {
  using abi = kmodld::abi::linux_6_12;
};
struct plugin_abi : kmodld::abi::plain {
  static constexpr bool export_globals = true;
};
struct plugin_host : plain_kernel {
  using abi = plugin_abi;
  using symbol_resolver = symbol_chain<symbol_table<memory, grace>&, no_symbols>;
};

using tree = sysfs_tree<elf::elf64_le, full_parameters>;

/// Templates of members are not covered by an explicit instantiation.
i64 walk(module_list const& list, tree& sysfs, std::span<char> out,
         void (*line)(std::string_view) noexcept) noexcept {
  using format_type = elf::elf64_le;
  symbol_at at;
  if (find_symbol_at<format_type>(list, {0x1000}, at))
    line({out.data(), format_symbol(at, out)});
  proc_modules(list, line);
  proc_kallsyms<format_type>(
      list, [](module const&, std::string_view, address) noexcept { return false; }, line);
  static unloaded_modules<> const none;
  modules_linked_in(list, none, line);
  for (module const& m : list) {
    format_proc_modules_line(m, out);
    exception found;
    exception_table<format_type, extable_kind::relative_with_data>{m.sections.extable}.find({1},
                                                                                            found);
  }
  sysfs_entry entry;
  return sysfs.list("/"sv, [&](sysfs_entry const& e) noexcept { line(e.name); }) +
         sysfs.stat("/"sv, entry) + sysfs.read("/a"sv, 0, out) +
         sysfs.write("/a"sv, {out.data(), 1}) + sysfs.read_link("/a"sv, out) +
         static_cast<i64>(lookup_name<format_type>(list, "a:b"sv).value);
}

/// Every table by which code is patched.
template <class Format>
u64 patch(region const& r, module_table const& found) noexcept {
  table_view<Format, jump_entry> labels{found};
  table_view<Format, jump_entry_absolute> old_labels{r};
  table_view<Format, static_call_site> calls{r};
  table_view<Format, address_entry> sites{r};
  orc_table<Format, orc_entry> orc{r, r};
  labels.sort();
  old_labels.sort();
  calls.sort();
  sites.sort();
  orc.sort();
  orc_frame frame;
  u64 sum = orc.find({1}, frame);
  auto const add = [&]<class Entry>(Entry) {
    table_view<Format, Entry> const view{r};
    for (auto const& e : view) {
      static_cast<void>(e);
      ++sum;
    }
  };
  add(alt_instr{}), add(alt_instr_flags{}), add(alt_instr_s390{}), add(alt_entry{});
  add(alt_entry_6_1{}), add(relative_site{}), add(relative_word_site{}), add(feature_fixup{});
  add(paravirt_patch_site{}), add(smp_alternative{}), add(bug_entry{}), add(bug_entry_absolute{});
  add(bug_entry_format{}), add(error_injection_entry{}), add(exidx_entry{});
  for (jump_label const& j : labels)
    sum += j.key.value;
  return sum;
}
template u64 patch<elf::elf64_le>(region const&, module_table const&) noexcept;
template u64 patch<elf::elf32_be>(region const&, module_table const&) noexcept;

} // namespace freestanding

template class loader<freestanding::plain_kernel>;
template class loader<freestanding::full_kernel>;
template class loader<freestanding::newer_kernel>;
template class loader<freestanding::plugin_host>;
template class symbol_table<freestanding::memory>;
template class symbol_table<freestanding::memory, freestanding::grace>;
template class linux_parameters<elf::elf64_le, freestanding::memory&>;
template class linux_parameters<elf::elf64_le, freestanding::memory&, standard_parameters_only,
                                no_diagnostics, freestanding::mutex&>;
template class sysfs_tree<elf::elf64_le, freestanding::full_parameters>;
template errc relocate<arch::x86_64>(section_relocations<arch::x86_64::relocation> const&,
                                     symbol_values const&, arch::x86_64::state&, error&) noexcept;
template errc relocate<arch::x86_64, false>(section_relocations<arch::x86_64::relocation> const&,
                                            symbol_values const&, arch::x86_64::state&,
                                            error&) noexcept;

namespace freestanding {

/// The relocation core of every architecture.
u32 relocate_all(byte_view bytes, std::span<std::byte> out, symbol_values const& symbols) {
  u32 good = 0;
  auto const one = [&]<class Arch>() {
    elf::table<typename Arch::relocation> const entries{
        reinterpret_cast<typename Arch::relocation const*>(bytes.data()), 1};
    typename Arch::state state{};
    error e;
    good += relocate<Arch>({out, {4096}, bytes, entries}, symbols, state, e) == errc::ok ? 1u : 0u;
    if constexpr (requires { Arch::far_stub_size; }) {
      using far_reaching = reloc::with_branch_islands<Arch>;
      typename far_reaching::state islands{};
      good += relocate<far_reaching>({out, {4096}, bytes, entries}, symbols, islands, e) == errc::ok
                  ? 1u
                  : 0u;
    }
  };
  arch::all::for_each(one);
  one.template operator()<arch::aarch64_843419>();
  return good;
}

} // namespace freestanding

} // namespace kmodld
