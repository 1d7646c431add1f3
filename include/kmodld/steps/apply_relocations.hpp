// SPDX-License-Identifier: MIT
// apply_relocations: every relocation section whose target is kept, in file order; then the
// addresses of init and exit, which are found by the relocations of the module structure.
// May refuse: ENOEXEC, EINVAL. Acquires nothing.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/reloc.hpp>
#include <kmodld/steps/livepatch_relocations.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

template <class Config>
struct apply_relocations {
  using arch = typename Config::arch;
  using format = typename arch::format;
  using relocation = typename arch::relocation;
  using image_type = elf::image<format>;
  static constexpr std::string_view name = "apply_relocations"sv;
  using needs = types<image_type, load_info, section_table>;
  using mutates = types<arch_state<arch>, module_record, resolved_symbols>;

  static constexpr u32 own_kind =
      sizeof(relocation) == sizeof(typename format::rela) ? elf::sht_rela : elf::sht_rel;
  static constexpr u32 other_kind = own_kind == elf::sht_rela ? elf::sht_rel : elf::sht_rela;

  template <class Env>
  static errc run(Env& env, image_type const& image, load_info const& info,
                  section_table const& table, arch_state<arch>& slots, module_record& m,
                  resolved_symbols& symbols) noexcept {
    typename arch::state& state = slots.state;
    state.symbols = image.template entries<typename format::sym>(info.sym);
    state.fill(table, symbols.values);
    symbol_values const values{symbols.values, symbols.attributes,
                               symbols.unresolved_weak && !Env::abi::weak_branches};
    for (u32 i = 1; i < table.file_count; ++i) {
      if (table[i].type != own_kind && table[i].type != other_kind)
        continue;
      section_entry const& target = table[image.section(i).sh_info];
      if (!target.allocated() || !target.placed())
        continue;
      errc code = errc::ok;
      if ((table[i].flags & elf::shf_rela_livepatch) != 0)
        code = livepatch_relocations(env, image, info, table, i, *m, symbols);
      else if (table[i].type == other_kind)
        code = env.fail(errc::reloc_kind, {.section = i, .index = i});
      if (code == errc::ok && !skipped<Env>(table[i]) &&
          one_section<Env::abi::wide_relocations>(image, table, i, values, state, env.err) !=
              errc::ok)
        code = described(env, image, info, table, i);
      if (code != errc::ok)
        return code;
    }
    find_entry_points(image, info, table, *m, symbols);
    return errc::ok;
  }

private:
  /// Relocations of other objects than vmlinux wait until that object comes.
  template <class Env>
  static bool skipped(section_entry const& s) noexcept {
    return (s.flags & elf::shf_rela_livepatch) != 0 &&
           (!Env::abi::livepatch || !starts_with(s.name, ".klp.rela.vmlinux."sv));
  }

  static section_relocations<relocation> input(image_type const& image, section_table const& table,
                                               u32 i) noexcept {
    u32 const t = image.section(i).sh_info;
    auto entries = image.template entries<relocation>(i);
    if (table[i].reordered != nullptr)
      entries = {reinterpret_cast<relocation const*>(table[i].reordered), entries.size()};
    byte_view const original = table[t].type == elf::sht_nobits ? byte_view{} : image.data(t);
    return {table[t].bytes(), table[t].target, original, entries};
  }

  template <bool Wide>
  static errc one_section(image_type const& image, section_table const& table, u32 i,
                          symbol_values const& values, typename arch::state& state,
                          error& e) noexcept {
    auto const in = input(image, table, i);
    // Where several sections relocate one target, only the first may be begun again: from the file.
    section_entry& target = table[image.section(i).sh_info];
    if (target.relocated)
      return kmodld::detail::relocate_exactly<arch, Wide>(in, values, state, e);
    target.relocated = true;
    return relocate<arch, Wide>(
        in, values, state, e, [&in](std::span<std::byte> bytes) { copy_back(bytes, in.original); });
  }

  static void copy_back(std::span<std::byte> bytes, byte_view original) noexcept {
    if (!original.empty())
      __builtin_memcpy(bytes.data(), original.data(), bytes.size());
    else if (!bytes.empty())
      __builtin_memset(bytes.data(), 0, bytes.size());
  }

  /// Adds the names to what the relocation core found.
  template <class Env>
  static errc described(Env& env, image_type const& image, load_info const& info,
                        section_table const& table, u32 i) noexcept {
    env.err.section = i;
    auto const relocations = input(image, table, i).relocations;
    auto const symbols = image.template entries<typename format::sym>(info.sym);
    u32 const symbol = arch::symbol_of(relocations[env.err.index]);
    return env.fail_with_names(symbol < symbols.size()
                                   ? string_at(image.data(info.str), symbols[symbol].st_name)
                                   : std::string_view{});
  }

  static void find_entry_points(image_type const& image, load_info const& info,
                                section_table const& table, module& m,
                                resolved_symbols const& resolved) noexcept {
    auto const symbols = image.template entries<typename format::sym>(info.sym);
    byte_view const strings = image.data(info.str);
    auto take = [&](u32 symbol) {
      if (symbol >= resolved.values.size() || symbols[symbol].st_shndx == elf::shn_undef)
        return;
      u64 const which = symbols[symbol].st_name;
      if (is_string_at(strings, which, "init_module"sv))
        m.init = {resolved.values[symbol]};
      else if (is_string_at(strings, which, "cleanup_module"sv))
        m.exit = {resolved.values[symbol]};
    };
    if (info.mod == 0) {
      for (u32 i = 1; i < symbols.size(); ++i)
        if (elf::st_bind(symbols[i].st_info) != elf::stb_local)
          take(i);
      return;
    }
    for (u32 i = 1; i < table.file_count; ++i)
      if (table[i].type == own_kind && image.section(i).sh_info == info.mod)
        for (relocation const& r : image.template entries<relocation>(i))
          take(arch::symbol_of(r));
  }
};

} // namespace kmodld::steps
