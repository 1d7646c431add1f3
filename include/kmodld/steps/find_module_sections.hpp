// SPDX-License-Identifier: MIT
// find_module_sections: every table that a kernel registers, found by name.
// May refuse: EINVAL. Acquires nothing.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

/// From the name of a section to the row of a table, by a hash that is made at compile time.
template <auto const& Rows>
class name_map {
  static constexpr std::size_t count = sizeof Rows / sizeof Rows[0];
  static constexpr std::size_t slots = std::bit_ceil(count * 4);

  u8 slot_[slots] = {}; ///< 0 or one more than a row's number

  static constexpr std::size_t start(u32 key) noexcept {
    return (key * 0x9e3779b1u) >> 16 & (slots - 1);
  }

public:
  constexpr name_map() noexcept {
    static_assert(count < 0xff);
    for (std::size_t i = 0; i < count; ++i) {
      std::size_t at = start(name_key(Rows[i].section));
      while (slot_[at] != 0)
        at = (at + 1) & (slots - 1);
      slot_[at] = static_cast<u8>(i + 1);
    }
  }

  /// Null if there is none. `key` is name_key of the name.
  constexpr auto const* find(std::string_view name, u32 key) const noexcept {
    for (std::size_t at = start(key); slot_[at] != 0; at = (at + 1) & (slots - 1))
      if (auto const& row = Rows[slot_[at] - 1]; equal(row.section, name))
        return &row;
    return static_cast<decltype(&Rows[0])>(nullptr);
  }
};

struct find_module_sections {
  static constexpr std::string_view name = "find_module_sections"sv;
  using needs = types<section_table>;
  using mutates = types<module_record>;

  template <class Env>
  static errc run(Env& env, section_table const& table, module_record& m) noexcept {
    using abi = typename Env::abi;
    constexpr u32 pointer = Env::format::bits / 8;
    constexpr u32 ksym = abi::ksymtab == ksymtab_format::prel32 ? 12 : 3 * pointer;
    constexpr u32 relative = abi::ksymtab == ksymtab_format::prel32 ? 4 : pointer;
    struct row {
      std::string_view section;
      module_table module_sections::* to;
      u32 entry_size;
    };
    static constexpr row rows[] = {
        {"__param"sv, &module_sections::kp, sizeof(kernel_param_entry<typename Env::format>)},
        {"__ksymtab"sv, &module_sections::syms, ksym},
        {"__kcrctab"sv, &module_sections::crcs, 4},
        {"__ksymtab_gpl"sv, &module_sections::gpl_syms, ksym},
        {"__kcrctab_gpl"sv, &module_sections::gpl_crcs, 4},
        {".noinstr.text"sv, &module_sections::noinstr_text, 1},
        {"__tracepoints_ptrs"sv, &module_sections::tracepoints, relative},
        {"___srcu_struct_ptrs"sv, &module_sections::srcu_structs, pointer},
        {"__bpf_raw_tp_map"sv, &module_sections::bpf_raw_events, 32},
        {"__jump_table"sv, &module_sections::jump_entries,
         abi::relative_jump_labels ? 8 + pointer : 3 * pointer},
        {"_ftrace_events"sv, &module_sections::trace_events, pointer},
        {"_ftrace_eval_map"sv, &module_sections::trace_evals, pointer},
        {"__trace_printk_fmt"sv, &module_sections::trace_bprintk, pointer},
        {abi::mcount_section, &module_sections::ftrace_callsites, pointer},
        {"_error_injection_whitelist"sv, &module_sections::ei_funcs, 2 * pointer},
        {".kprobes.text"sv, &module_sections::kprobes_text, 1},
        {"_kprobe_blacklist"sv, &module_sections::kprobe_blacklist, pointer},
        {".printk_index"sv, &module_sections::printk_index, pointer},
        {".static_call_sites"sv, &module_sections::static_call_sites, 8},
        {".kunit_test_suites"sv, &module_sections::kunit_suites, pointer},
        {"__ex_table"sv, &module_sections::extable,
         sizeof(extable_entry<typename Env::format, abi::extable>)},
        {"__dyndbg"sv, &module_sections::ddebug, pointer == 8 ? 56 : 32},
        {"__dyndbg_classes"sv, &module_sections::ddebug_classes, pointer == 8 ? 56 : 32},
    };
    static constexpr name_map<rows> by_name;
    for (u32 i = table.used; i-- > 1;) // of equal names the first counts
      if (table[i].allocated())
        if (row const* r = by_name.find(table[i].name, table[i].key); r != nullptr)
          m->sections.*(r->to) = table_of(table, i, r->entry_size);
    // Not kept: it points into the image, which the loader only reads, until init is over.
    if (section_entry const& btf = table[table.find_any(".BTF"sv)]; btf.file != nullptr)
      m->sections.btf = {{}, const_cast<std::byte*>(btf.file), static_cast<u32>(btf.size), 1};
    if constexpr (abi::constructors) {
      u32 const ctors = table.find(".ctors"sv);
      u32 const init_array = table.find(".init_array"sv);
      if (ctors != 0 && init_array != 0)
        return env.fail(errc::has_ctors_and_init_array);
      m->sections.ctors = table_of(table, ctors != 0 ? ctors : init_array, pointer);
    }
    if (table.find("__obsparm"sv) != 0)
      env.note(errc::obsolete_params);
    return errc::ok;
  }

private:
  /// n / d by shifts: not every target has an instruction for a division by a variable.
  static constexpr u32 quotient(u32 n, u32 d) noexcept {
    u32 q = 0;
    u64 rest = 0;
    for (int bit = 31; bit >= 0; --bit) {
      rest = rest << 1 | (n >> bit & 1);
      q <<= 1;
      if (rest >= d) {
        rest -= d;
        q |= 1;
      }
    }
    return q;
  }

  static module_table table_of(section_table const& table, u32 i, u32 entry_size) noexcept {
    section_entry const& s = table[i];
    if (i == 0 || s.host == nullptr)
      return {};
    return {s.target, s.host, quotient(static_cast<u32>(s.size), entry_size), entry_size};
  }
};

} // namespace kmodld::steps
