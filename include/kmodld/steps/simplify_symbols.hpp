// SPDX-License-Identifier: MIT
// simplify_symbols: gives every symbol its final value; undefined ones are resolved, and what they
// come from is held by a reference. Runs to the end even after an error; the last one counts.
// May refuse: ENOENT, EINVAL, ENOEXEC, EBUSY, ENOMEM. References taken go with module_unload_init's
// undo; the tables are scratch memory.
#pragma once

#include <kmodld/layout/layout.hpp>
#include <kmodld/steps/check_version.hpp>

namespace kmodld::steps {

/// resolve_symbol for one undefined name after another, with the lock held.
template <class Env>
class symbol_resolution {
  using image_type = elf::image<typename Env::format>;

  Env& env_;
  load_info const& info_;
  module& module_;
  expected_versions<Env> versions_;
  name_index imports_;
  std::span<std::string_view> import_names_;
  bool batch_fresh_ = true; ///< nothing has changed since the batch was looked up

public:
  symbol_resolution(Env& env, load_info const& info, module& m) noexcept
      : env_{env}, info_{info}, module_{m} {}

  /// Indexes what is asked for every symbol. False without memory.
  bool prepare(image_type const& image) noexcept {
    if (!versions_.read(env_, image, info_, true))
      return false;
    u64 count = 0;
    for_each_import([&](std::string_view) { ++count; });
    if (count == 0)
      return true;
    import_names_ = env_.template scratch<std::string_view>(count);
    auto slots = env_.template scratch<u32>(name_index::slots_for(count));
    if (import_names_.empty() || slots.empty())
      return false;
    imports_ = name_index{slots, env_.hash_seed()};
    u32 n = 0;
    for_each_import([&](std::string_view name) {
      import_names_[n] = name;
      imports_.insert(n++, [this](u32 i) { return import_names_[i]; });
    });
    return true;
  }

  bool gpl_ok() const noexcept { return (module_.taints & taint_proprietary) == 0; }

  /// ok with q.found false: nobody exports it. Any other code has been reported.
  errc resolve(symbol_query& q) noexcept {
    auto& resolver = env_.policy().symbol_resolver;
    for (;;) {
      if (!batch_fresh_ || (q.found && q.symbol.gpl_only && !gpl_ok()))
        q.found = resolver.find(q.name, gpl_ok(), q.symbol);
      if (!q.found)
        return errc::ok;
      errc code = check(q);
      if (code != errc::ok || !q.found)
        return code;
      code = use(q.symbol);
      if (code == errc::ok)
        return code;
      // By value: after a wait the owner may be gone.
      char text[module::name_capacity];
      std::string_view const owner{text, copy_text(text, q.symbol.owner->name())};
      if (code != errc::symbol_owner_coming)
        return env_.fail(code, {.subject = q.name, .second = owner});
      // The owner's init may still succeed. While waiting the lock is free and anything may go.
      batch_fresh_ = false;
      if (env_.policy().lock.wait(true) != wait_status::woken) {
        return env_.fail(code, {.subject = q.name, .second = owner});
      }
    }
  }

private:
  errc check(symbol_query& q) noexcept {
    exported_symbol const& s = q.symbol;
    if (s.gpl_only)
      module_.using_gplonly_symbols = true;
    if (s.owner != nullptr && (s.owner->taints & taint_proprietary) != 0) {
      if (module_.using_gplonly_symbols) {
        env_.note(errc::symbol_proprietary, {.subject = q.name, .second = s.owner->name()});
        q.found = false;
        return errc::ok;
      }
      if (gpl_ok()) {
        env_.note(errc::taint_inherited, {.subject = q.name, .second = s.owner->name()});
        module_.taints |= taint_proprietary;
      }
    }
    if (errc code = check_version(env_, versions_, info_, &module_, q.name, s); code != errc::ok)
      return code;
    if (!s.name_space.empty() && !imports(s.name_space)) {
      if constexpr (Env::abi::allow_missing_namespace_imports)
        env_.note(errc::symbol_namespace_missing, {.subject = q.name, .second = s.name_space});
      else
        return env_.fail(errc::symbol_namespace, {.subject = q.name, .second = s.name_space});
    }
    return errc::ok;
  }

  template <class F>
  void for_each_import(F&& f) const noexcept {
    for (std::string_view v = info_.tags.get("import_ns"sv); v.data() != nullptr;
         v = info_.tags.get_next("import_ns"sv, v))
      f(v);
  }

  bool imports(std::string_view wanted) const noexcept {
    return imports_.find(wanted, [this](u32 i) { return import_names_[i]; }) != name_index::none;
  }

  /// use_module: takes a reference on the symbol's owner, once a module.
  errc use(exported_symbol const& s) noexcept {
    module* const owner = s.owner;
    if (owner == nullptr || owner == &module_)
      return errc::ok;
    for (module_use* u = module_.target_list; u != nullptr; u = u->next_target)
      if (u->used == owner)
        return errc::ok;
    module_state const state = owner->state.load(std::memory_order_acquire);
    if (state == module_state::coming)
      return errc::symbol_owner_coming;
    if (state != module_state::live)
      return errc::symbol_owner_going;
    u32 count = owner->refcnt.load(std::memory_order_relaxed);
    do
      if (count == 0)
        return errc::symbol_owner_going;
    while (!owner->refcnt.compare_exchange_weak(count, count + 1, std::memory_order_acquire));
    void* memory = env_.state.new_record(sizeof(module_use));
    if (memory == nullptr) {
      owner->refcnt.fetch_sub(1, std::memory_order_release);
      return errc::no_memory;
    }
    auto* use = ::new (memory) module_use{&module_, owner, owner->source_list, module_.target_list};
    owner->source_list = use;
    module_.target_list = use;
    return errc::ok;
  }
};

template <class Config>
struct simplify_symbols {
  using arch = typename Config::arch;
  using image_type = elf::image<typename arch::format>;
  using sym = typename arch::format::sym;
  static constexpr std::string_view name = "simplify_symbols"sv;
  using needs = types<image_type, load_info, section_table, arch_state<arch>>;
  using mutates = types<module_record>;
  using yields = types<resolved_symbols>;

  template <class Env>
  static errc run(Env& env, image_type const& image, load_info const& info,
                  section_table const& table, arch_state<arch> const& slots, module_record& m,
                  resolved_symbols& out) noexcept {
    auto const symbols = image.template entries<sym>(info.sym);
    byte_view const strings = image.data(info.str);
    if (symbols.empty())
      return errc::ok;
    out.values = env.template scratch<u64>(symbols.size());
    out.attributes = env.template scratch<u8>(symbols.size());
    u32 undefined = 0;
    for (sym const& s : symbols)
      undefined += s.st_shndx == elf::shn_undef ? 1u : 0u;
    auto queries = env.template scratch<symbol_query>(undefined == 0 ? 1 : undefined);
    if (out.values.empty() || out.attributes.empty() || queries.empty())
      return env.fail(errc::no_memory, {.subject = "symbols"sv, .n0 = symbols.size()});

    errc result = errc::ok;
    u32 count = 0;
    u32 last_bad = 0;
    u64 names_size = 0;
    u64 const name_limit = symbol_name_limit(strings.size());
    for (u32 i = 1; i < symbols.size(); ++i) {
      sym const& s = symbols[i];
      if (s.st_name >= strings.size() && s.st_name != 0) {
        result = env.fail(errc::symbol_name_range, {.index = i});
        last_bad = i;
        continue;
      }
      u32 const shndx = s.st_shndx;
      out.attributes[i] = attributes_of(s);
      if (shndx == elf::shn_undef) {
        queries[count].name = string_at(strings, s.st_name);
        if constexpr (requires { arch::symbol_name(queries[count].name); })
          queries[count].name = arch::symbol_name(queries[count].name);
        if constexpr (requires { slots.state.own_symbol(queries[count].name, out.values[i]); })
          if (slots.state.own_symbol(queries[count].name, out.values[i])) {
            out.attributes[i] = static_cast<u8>(out.attributes[i] & ~symbol_undefined);
            continue;
          }
        names_size += queries[count++].name.size() + 1;
        if (names_size > name_limit)
          return env.fail(errc::symbol_names_overlap, {.n0 = name_limit, .index = i});
        continue;
      }
      u64 value = s.st_value;
      if (shndx == elf::shn_common) {
        if (!starts_with(string_at(strings, s.st_name, 9), "__gnu_lto"sv)) {
          result = env.fail(errc::symbol_common, {.index = i});
          last_bad = i;
        }
      } else if (shndx == elf::shn_abs || shndx == elf::shn_livepatch) {
        // as it is
      } else if (shndx >= table.file_count) {
        result = env.fail(errc::symbol_section,
                          {.subject = string_at(strings, s.st_name, image_type::longest_name),
                           .n0 = shndx,
                           .n1 = table.file_count - 1,
                           .index = i});
        last_bad = i;
      } else if (shndx == info.pcpu) {
        value += m->percpu.value;
      } else {
        value += table[shndx].target.value;
      }
      out.values[i] = value;
    }
    if (count == 0)
      return result;
    // Linux takes symbols one by one, and the last error counts.
    error const defined = env.err;
    u32 last_unresolved = 0;
    errc const code = resolve_all(env, image, info, slots, symbols, queries.first(count), *m, out,
                                  last_unresolved);
    if (code == errc::ok || (result != errc::ok && last_bad > last_unresolved)) {
      env.err = defined;
      return result;
    }
    return code;
  }

private:
  static u8 attributes_of(sym const& s) noexcept {
    unsigned a = 0;
    if (s.st_shndx == elf::shn_undef)
      a |= symbol_undefined;
    if (elf::st_bind(s.st_info) == elf::stb_weak)
      a |= symbol_weak;
    if (elf::st_type(s.st_info) == elf::stt_func)
      a |= symbol_function;
    return static_cast<u8>(a | (s.st_other & 0xe0u));
  }

  template <class Env>
  static errc resolve_all(Env& env, image_type const& image, load_info const& info,
                          arch_state<arch> const& slots, elf::table<sym> symbols,
                          std::span<symbol_query> queries, module& m, resolved_symbols& out,
                          u32& last_bad) noexcept {
    errc result = errc::ok;
    symbol_resolution<Env> resolution{env, info, m};
    if (!resolution.prepare(image))
      return env.fail(errc::no_memory,
                      {.subject = "versions"sv, .n0 = image.data(info.vers).size()});
    auto& resolver = env.policy().symbol_resolver;
    lock_guard lock{env.policy().lock};
    if constexpr (batch_resolver<std::remove_cvref_t<decltype(resolver)>>) {
      for (symbol_query& q : queries)
        q.gpl_ok = resolution.gpl_ok();
      resolver.find_batch(queries.data(), queries.size());
    } else {
      for (symbol_query& q : queries)
        q.found = resolver.find(q.name, resolution.gpl_ok(), q.symbol);
    }
    std::size_t at = 0;
    for (u32 i = 1; i < symbols.size(); ++i) {
      if (symbols[i].st_shndx != elf::shn_undef || at == queries.size() ||
          (out.attributes[i] & symbol_undefined) == 0)
        continue;
      symbol_query& q = queries[at++];
      errc code = resolution.resolve(q);
      if (code == errc::ok && q.found) {
        out.values[i] = q.symbol.value.value;
      } else if (code == errc::ok && slots.state.got.value != 0 &&
                 equal(q.name, "_GLOBAL_OFFSET_TABLE_"sv)) {
        out.values[i] = slots.state.got.value;
      } else if (code == errc::ok && (out.attributes[i] & symbol_weak) != 0) {
        out.attributes[i] = static_cast<u8>(out.attributes[i] | symbol_unresolved);
        out.unresolved_weak = true;
      } else if (code == errc::ok && arch::ignores_got_symbol &&
                 equal(q.name, "_GLOBAL_OFFSET_TABLE_"sv)) {
        // x86 compilers name it where they address nothing through it.
      } else if (code == errc::ok) {
        result = env.fail(errc::symbol_unknown, {.subject = q.name, .n0 = e_noent, .index = i});
        last_bad = i;
      } else {
        result = code;
        last_bad = i;
        env.note(errc::symbol_unknown,
                 {.subject = q.name, .n0 = static_cast<u64>(env.err.os_errno()), .index = i});
      }
    }
    return result;
  }
};

} // namespace kmodld::steps
