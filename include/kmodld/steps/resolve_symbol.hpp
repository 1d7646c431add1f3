// SPDX-License-Identifier: MIT
// resolve_symbol: who exports an undefined name, whether the module may use it, and the reference
// on its owner. A part of simplify_symbols. References taken go with module_unload_init's undo.
#pragma once

#include <kmodld/policy/reclaimer.hpp>
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
  u32 removals_ = 0;        ///< so many there had been before the batch was looked up

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

  /// A batch is looked up under the lock, which is held until all of it is resolved.
  void batch_begins() noexcept { batch_fresh_ = true; }
  /// The same by a reader, before the lock is taken: `look_up()`.
  template <class F>
  void batch_by_reader(F&& look_up) noexcept {
    read_guard reading{env_.policy().reclaimer};
    removals_ = env_.state.removals.load(std::memory_order_acquire);
    look_up();
  }
  /// ... and when it is had. If nothing was removed, all owners are still there; an export that was
  /// added meanwhile came too late.
  void batch_locked() noexcept {
    batch_fresh_ = removals_ == env_.state.removals.load(std::memory_order_relaxed);
  }

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
    for (std::string_view v = info_.tags.first(modinfo_tag::import_ns); v.data() != nullptr;
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
    auto* use = ::new (memory)
        module_use{&module_, owner, owner->source_list, module_.target_list, &owner->source_list};
    if (owner->source_list != nullptr)
      owner->source_list->source = &use->next_source;
    owner->source_list = use;
    module_.target_list = use;
    return errc::ok;
  }
};

} // namespace kmodld::steps
