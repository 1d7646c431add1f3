// SPDX-License-Identifier: MIT
// layout_and_allocate: check_modinfo, the architecture's GOT and PLT, the W^X check,
// layout_sections, layout_symtab, move_module. Yields the module record. May refuse: ENOEXEC,
// ENOMEM. Undo: module_deallocate (percpu memory, regions, record).
#pragma once

#include <kmodld/steps/check_modinfo.hpp>
#include <kmodld/steps/module_frob_arch_sections.hpp>
#include <kmodld/steps/move_module.hpp>

namespace kmodld::steps {

/// module_deallocate: what layout_and_allocate and percpu_modalloc acquired.
template <class Env>
void module_deallocate(Env& env, module_record& m) noexcept {
  if constexpr (Env::smp)
    if (m->percpu_size != 0)
      env.policy().percpu.release(m->percpu, m->percpu_size);
  env.state.free_record(m->export_names.data());
  release_memory(env, *m);
  m->~module();
  env.state.free_record(m.record);
  m.record = nullptr;
  env.undone("module_deallocate"sv);
}

template <class Config>
struct layout_and_allocate {
  using arch = typename Config::arch;
  using image_type = elf::image<typename arch::format>;
  static constexpr std::string_view name = "layout_and_allocate"sv;
  using needs = types<image_type, load_info>;
  using mutates = types<section_table>;
  using yields = types<module_record, module_layout, arch_state<arch>>;

  template <class Env>
  static errc run(Env& env, image_type const& image, load_info const& info, section_table& table,
                  module_record& out, module_layout& layout, arch_state<arch>& slots) noexcept {
    if (errc code = check_modinfo(env, info); code != errc::ok)
      return code;
    if (errc code = module_frob_arch_sections(env, image, info, table, slots.state);
        code != errc::ok)
      return code;
    if (errc code = enforce_rwx(env, table); code != errc::ok)
      return code;
    if (info.pcpu != 0)
      table[info.pcpu].flags &= ~u64{elf::shf_alloc};
    for (std::string_view sealed : {".data..ro_after_init"sv, "__jump_table"sv})
      if (u32 i = table.find(sealed); i != 0)
        table[i].flags |= elf::shf_ro_after_init;
    // s390 puts GOT and PLT before the first section.
    if constexpr (requires { slots.state.core_prefix; })
      layout.parts[0].size = slots.state.core_prefix;
    if (errc code = place(env, image, info, table, layout); code != errc::ok)
      return code;
    if (errc code = allocate(env, image, info, table, layout, out); code != errc::ok)
      return code;
    slots.state.placed(table, *out);
    return errc::ok;
  }

  template <class Env>
  static void undo(Env& env, section_table&, module_record& m, module_layout&,
                   arch_state<arch>&) noexcept {
    module_deallocate(env, m);
  }

private:
  template <class Env>
  static errc enforce_rwx(Env& env, section_table const& table) noexcept {
    constexpr u64 both = elf::shf_write | elf::shf_execinstr;
    if constexpr (Env::abi::strict_rwx)
      for (u32 i = 0; i < table.used; ++i)
        if ((table[i].flags & both) == both)
          return env.fail(errc::section_write_exec, {.subject = table[i].name, .section = i});
    return errc::ok;
  }

  template <class Env>
  static errc place(Env& env, image_type const& image, load_info const& info, section_table& table,
                    module_layout& layout) noexcept {
    using abi = typename Env::abi;
    using sym = typename Env::format::sym;
    layout_builder<arch, abi> builder{table, layout};
    u32 culprit = 0;
    if (!builder.place_sections(culprit))
      return too_large(env, table, culprit);
    if constexpr (abi::kallsyms) {
      // Linux would follow a symbol table that links to itself or to another kept section.
      if (table[info.sym].allocated() || table[info.str].allocated() || info.sym == info.str)
        return env.fail(errc::elf_strtab_type, {.n0 = table[info.str].type, .section = info.str});
      auto const symbols = image.template entries<sym>(info.sym);
      byte_view const strings = image.data(info.str);
      bool const livepatch = info.tags.has(modinfo_tag::livepatch);
      auto kept = [&](u32 i) {
        return livepatch || is_core_symbol<arch, abi>(symbols[i], table, info.pcpu);
      };
      // Undefined ones are in no table, and simplify_symbols counts their names.
      auto name_size = [&](u32 i) {
        if (i != 0 && !livepatch && symbols[i].st_shndx == elf::shn_undef)
          return u64{0};
        return u64{string_at(strings, symbols[i].st_name).size()} + 1;
      };
      if (!builder.place_symtab(info.sym, info.str, static_cast<u32>(symbols.size()), sizeof(sym),
                                sizeof(typename Env::format::word), kept, name_size))
        return too_large(env, table, info.sym);
    }
    return errc::ok;
  }

  template <class Env>
  static errc too_large(Env& env, section_table const& table, u32 i) noexcept {
    section_entry const& s = table[i];
    return env.fail(errc::layout_overflow,
                    {.subject = s.name, .n0 = s.size, .n1 = s.align, .section = i});
  }

  template <class Env>
  static errc allocate(Env& env, image_type const& image, load_info const& info,
                       section_table& table, module_layout const& layout,
                       module_record& out) noexcept {
    void* memory = env.state.new_record(sizeof(module));
    if (memory == nullptr)
      return env.fail_no_memory("module record"sv, sizeof(module));
    out.record = ::new (memory) module{};
    if (errc code = allocate_memory(env, layout, *out); code != errc::ok) {
      out->~module();
      env.state.free_record(memory);
      out.record = nullptr;
      return code;
    }
    copy_text(out->name_text, info.name);
    env.module_name = out->name();
    env.state.modules.prefetch(out->name(), true);
    out->taints = env.early_taints;
    out->livepatch = info.tags.has(modinfo_tag::livepatch);
    copy_sections<Env>(image, table, layout, *out);
    return errc::ok;
  }
};

} // namespace kmodld::steps
