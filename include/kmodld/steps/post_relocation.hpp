// SPDX-License-Identifier: MIT
// post_relocation: sorts the exception table, copies per-CPU data, makes the symbol tables that
// readers use, then module_finalize.
// May refuse: the errno of module_finalize. Undo: module_arch_cleanup.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/layout/layout.hpp>
#include <kmodld/linux/extable.hpp>
#include <kmodld/linux/kallsyms.hpp>
#include <kmodld/steps/module_finalize.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

template <class Config>
struct post_relocation {
  using arch = typename Config::arch;
  using format = typename arch::format;
  using image_type = elf::image<format>;
  static constexpr std::string_view name = "post_relocation"sv;
  using needs = types<image_type, load_info, section_table, module_layout, resolved_symbols>;
  using mutates = types<arch_state<arch>, module_record>;

  template <class Env>
  static errc run(Env& env, image_type const& image, load_info const& info,
                  section_table const& table, module_layout const& layout,
                  resolved_symbols const& symbols, arch_state<arch>& slots,
                  module_record& m) noexcept {
    exception_table<format, Env::abi::extable>{m->sections.extable}.sort();
    m->extable.store(&m->sections.extable, std::memory_order_release);
    if constexpr (Env::smp)
      if (m->percpu_size != 0) {
        byte_view initial = image.data(info.pcpu);
        if (!initial.empty())
          env.policy().percpu.initialise(m->percpu, initial);
      }
    if constexpr (Env::abi::kallsyms)
      add_kallsyms<typename Env::abi>(image, info, table, layout, symbols, *m);
    return module_finalize(env, table, slots, *m);
  }

  template <class Env>
  static void undo(Env& env, arch_state<arch>&, module_record& m) noexcept {
    module_arch_cleanup(env, *m);
  }

private:
  /// add_kallsyms: the init copy of all symbols with their letters, and the core copy of those that
  /// stay.
  template <class Abi>
  static void add_kallsyms(image_type const& image, load_info const& info,
                           section_table const& table, module_layout const& layout,
                           resolved_symbols const& resolved, module& m) noexcept {
    using sym = typename format::sym;
    auto const symbols = image.template entries<sym>(info.sym);
    if (symbols.empty())
      return;
    auto const& places = layout.symtab;
    std::byte* const core = m.memories[places.core].memory.host;
    auto* const all = reinterpret_cast<sym*>(table[info.sym].host);
    auto* const letters =
        reinterpret_cast<char*>(m.memories[places.init].memory.host + places.init_types);
    auto* const kept = reinterpret_cast<sym*>(core + places.core_symbols);
    auto* const kept_names = reinterpret_cast<char*>(core + places.core_strings);
    auto* const kept_letters = reinterpret_cast<char*>(core + places.core_types);
    u32 count = 0;
    u32 names_size = 0;
    for (u32 i = 0; i < symbols.size(); ++i) {
      all[i].st_value = static_cast<typename format::word_type>(resolved.values[i]);
      letters[i] = letter_of(symbols[i], info, table);
      if (i != 0 && !m.livepatch && !is_core_symbol<arch, Abi>(symbols[i], table, info.pcpu))
        continue;
      std::string_view const text = string_at(image.data(info.str), symbols[i].st_name);
      kept[count] = all[i];
      kept[count].st_name = names_size;
      if (!text.empty())
        __builtin_memcpy(kept_names + names_size, text.data(), text.size());
      kept_names[names_size + text.size()] = '\0';
      kept_letters[count++] = letters[i];
      names_size += static_cast<u32>(text.size()) + 1;
    }
    section_entry const& strtab = table[info.str];
    m.full_kallsyms = {table[info.sym].host, static_cast<u32>(symbols.size()), strtab.bytes(),
                       letters};
    m.core_kallsyms = {
        core + places.core_symbols, count, {core + places.core_strings, names_size}, kept_letters};
    m.kallsyms.store(&m.full_kallsyms, std::memory_order_release);
  }

  static char letter_of(typename format::sym const& s, load_info const& info,
                        section_table const& table) noexcept {
    u32 const shndx = s.st_shndx;
    bool const percpu = info.pcpu != 0 && shndx == info.pcpu;
    section_entry const& section = table[shndx < table.file_count ? shndx : 0];
    return symbol_type_letter(s.st_info, shndx, section.flags, section.type, section.name, percpu);
  }
};

} // namespace kmodld::steps
