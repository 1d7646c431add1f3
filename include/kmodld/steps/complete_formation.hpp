// SPDX-License-Identifier: MIT
// complete_formation: the module's exports must be new; its memory gets its permissions; from here
// on it is COMING and seen by everybody.
// May refuse: ENOEXEC, EINVAL, ENOMEM, the protector's errno. Undo: GOING, off the bug list,
// exports out of the registry.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/layout/layout.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

/// The symbols that `export_globals` of the abi exports: calls f(ksym const&, false) for each until
/// it answers false. Those of init are not among them, but in the table of a live patch, which
/// keeps all and exports none by that; the length of all names was checked when the table was laid
/// out.
template <class Format, class F>
bool for_each_global(module const& m, F&& f) noexcept {
  kallsyms_table const& table = m.core_kallsyms;
  for (u32 i = 1; i < (m.livepatch ? 0 : table.count); ++i) {
    auto const& s = reinterpret_cast<typename Format::sym const*>(table.symtab)[i];
    u8 const visibility = elf::st_visibility(s.st_other);
    if (elf::st_bind(s.st_info) != elf::stb_global || elf::st_type(s.st_info) > elf::stt_func ||
        s.st_shndx == elf::shn_undef || visibility == elf::stv_hidden ||
        visibility == elf::stv_internal)
      continue;
    ksym k{};
    k.name = string_at(table.strtab, s.st_name);
    k.value = {s.st_value};
    bool own = k.name.empty();
    for (std::string_view each : {"init_module"sv, "cleanup_module"sv, "__this_module"sv})
      own = own || equal(k.name, each);
    if (!own && !f(k, false))
      return false;
  }
  return true;
}

/// Calls f(ksym const&, bool gpl_only) for the exports of both tables until it answers false; false
/// too if an entry is broken.
template <class Env, class F>
bool for_each_export(module const& m, F&& f) noexcept {
  using view = ksymtab<typename Env::format, Env::abi::ksymtab>;
  ksym k;
  for (bool gpl : {false, true}) {
    view const table = gpl ? view{m, m.sections.gpl_syms, m.sections.gpl_crcs}
                           : view{m, m.sections.syms, m.sections.crcs};
    for (u32 i = 0; i < table.size(); ++i)
      if (!table.get(i, k) || !f(k, gpl))
        return false;
  }
  if constexpr (Env::abi::export_globals)
    return for_each_global<typename Env::format>(m, f);
  return true;
}

/// Takes the module's exports out of the registry, by the names that they were entered with: those
/// in the module's memory may have changed since.
template <class Env>
void remove_exports(Env& env, module& m) noexcept {
  auto& resolver = env.policy().symbol_resolver;
  if constexpr (export_registry<std::remove_cvref_t<decltype(resolver)>>)
    for (std::string_view name : m.export_names)
      resolver.remove(name, m);
  env.state.removals.fetch_add(1, std::memory_order_release);
  // Readers may still compare them: the record goes with the module, after a grace period.
  m.export_names = m.export_names.first(0);
}

/// Permissions of a module's memory in Linux's order. The batch fits the stack: 14 parts at most.
class protection_batch {
  protection parts_[2 * module::max_memories];
  std::size_t count_ = 0;

public:
  void add(region const& memory, u64 first, u64 end, permission allowed) noexcept {
    if (end > first)
      parts_[count_++] = {{memory.target + first, memory.host + first, end - first}, allowed};
  }
  std::span<protection const> all() const noexcept { return {parts_, count_}; }
};

/// After relocation: text read-execute, constants read; what is read-only after init stays
/// writable. Each part once, since a protector may never make memory writable and executable.
inline void initial_protection(module const& m, bool rodata, protection_batch& batch) noexcept {
  permission const constant = rodata ? permission::read : permission::read_write;
  for (module_memory const& part : m.all_memories()) {
    region const& memory = part.memory;
    switch (part.kind) {
    case memory_kind::text:
    case memory_kind::init_text: batch.add(memory, 0, memory.size, permission::read_execute); break;
    case memory_kind::rodata:
    case memory_kind::init_rodata: batch.add(memory, 0, memory.size, constant); break;
    case memory_kind::core:
    case memory_kind::init:
      batch.add(memory, 0, part.text_size, permission::read_execute);
      batch.add(memory, part.text_size, part.ro_size, constant);
      break;
    default: break;
    }
  }
}

struct complete_formation {
  static constexpr std::string_view name = "complete_formation"sv;
  using needs = types<section_table>;
  using mutates = types<module_record>;

  template <class Env>
  static errc run(Env& env, section_table const& table, module_record& m) noexcept {
    lock_guard lock{env.policy().lock};
    errc code = verify_exports(env, *m);
    if (code == errc::ok)
      code = add_exports(env, *m);
    if (code == errc::ok) {
      m->sections.bug_table = whole<Env>(table, "__bug_table"sv, Env::abi::bug_entry_size);
      m->sections.kcfi_traps = whole<Env>(table, "__kcfi_traps"sv, 4);
      code = protect(env, *m);
    }
    if (code != errc::ok) {
      remove_exports(env, *m);
      return code;
    }
    m->on_bug_list = true;
    m->state.store(module_state::coming, std::memory_order_release);
    return errc::ok;
  }

  template <class Env>
  static void undo(Env& env, module_record& m) noexcept {
    lock_guard lock{env.policy().lock};
    m->state.store(module_state::going, std::memory_order_release);
    m->on_bug_list = false;
    remove_exports(env, *m);
    env.undone("module_bug_cleanup"sv);
  }

private:
  /// verify_exported_symbols.
  template <class Env>
  static errc verify_exports(Env& env, module& m) noexcept {
    errc code = errc::ok;
    auto& resolver = env.policy().symbol_resolver;
    if constexpr (prefetching_resolver<std::remove_cvref_t<decltype(resolver)>>)
      static_cast<void>(for_each_export<Env>(m, [&, left = 512](ksym const& k, bool) mutable {
        resolver.prefetch(k.name);
        return --left != 0;
      }));
    bool const whole = for_each_export<Env>(m, [&](ksym const& k, bool) {
      exported_symbol other;
      if (!resolver.find(k.name, true, other))
        return true;
      code = env.fail(
          errc::symbol_duplicate,
          {.subject = k.name, .second = other.owner == nullptr ? "kernel"sv : other.owner->name()});
      return false;
    });
    return code == errc::ok && !whole ? env.fail(errc::export_table) : code;
  }

  /// Enters the exports where the resolver keeps a table of them; namespaces and names are copied
  /// into one record. On failure those entered are in export_names.
  template <class Env>
  static errc add_exports(Env& env, module& m) noexcept {
    auto& resolver = env.policy().symbol_resolver;
    if constexpr (export_registry<std::remove_cvref_t<decltype(resolver)>>) {
      u64 count = 0, text = 0;
      static_cast<void>(for_each_export<Env>(m, [&](ksym const& k, bool) {
        ++count;
        text += k.name.size() + k.name_space.size();
        return true;
      }));
      if (count == 0)
        return errc::ok;
      // Names may share their bytes: what they take together is bounded by the module's memory.
      u64 memory = 0;
      for (module_memory const& part : m.all_memories())
        memory += part.memory.size;
      if (text > symbol_name_limit(memory))
        return env.fail(errc::symbol_names_overlap, {}, symbol_name_limit(memory));
      auto no_memory = [&env, &count] { return env.fail_no_memory("exports"sv, count); };
      auto* names = static_cast<std::string_view*>(
          env.state.new_record(count * sizeof(std::string_view) + text));
      if (names == nullptr)
        return no_memory();
      m.export_names = {names, 0};
      auto* at = reinterpret_cast<char*>(names + count);
      auto copy = [&at](std::string_view s) {
        std::string_view const copied{at, s.size()};
        for (char c : s)
          *at++ = c;
        return copied;
      };
      if (!for_each_export<Env>(m, [&](ksym const& k, bool gpl) {
            // What the tables export stays as they do, for GPL alone or in a name space.
            if constexpr (Env::abi::export_globals)
              if (exported_symbol known; resolver.find(k.name, true, known))
                return true;
            auto* name = ::new (names + m.export_names.size()) std::string_view{copy(k.name)};
            if (!resolver.add(*name, {.value = k.value,
                                      .owner = &m,
                                      .name_space = copy(k.name_space),
                                      .crc = k.crc,
                                      .has_crc = k.has_crc,
                                      .gpl_only = gpl}))
              return false;
            m.export_names = {names, m.export_names.size() + 1};
            return true;
          }))
        return no_memory();
    }
    return errc::ok;
  }

  template <class Env>
  static errc protect(Env& env, module& m) noexcept {
    if constexpr (!Env::abi::strict_rwx)
      return errc::ok;
    for (module_memory const& part : m.all_memories()) {
      constexpr u64 inside = Env::abi::page_size - 1;
      if (((part.memory.target.value | part.text_size | part.ro_size | part.ro_after_init_size) &
           inside) != 0)
        return env.fail(errc::not_page_aligned, "module memory"sv);
    }
    protection_batch batch;
    initial_protection(m, env.state.settings.rodata, batch);
    if (int e = env.policy().protector.protect(batch.all()); e != 0)
      return env.fail(errc::protect_failed, {}, static_cast<u64>(e));
    return errc::ok;
  }

  template <class Env>
  [[gnu::noinline]] static module_table whole(section_table const& table, std::string_view name,
                                              u32 entry_size) noexcept {
    section_entry const& s = table[table.find_any(name)];
    if (s.host == nullptr)
      return {};
    auto const size = static_cast<u32>(s.size);
    return {s.target, s.host, entry_size == 4 ? size / 4 : size / Env::abi::bug_entry_size,
            entry_size};
  }
};

} // namespace kmodld::steps
