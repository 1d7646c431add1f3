// SPDX-License-Identifier: MIT
// module_unload_init: the reference count starts at 1 (base) + 1 (held while init runs); nobody is
// used yet. Undo, module_unload_free: every reference that simplify_symbols took is given back.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

/// Drops the module's references on those it uses.
template <class Env>
void module_unload_free(Env& env, module& m) noexcept {
  module_use* dropped = nullptr;
  {
    lock_guard lock{env.policy().lock};
    dropped = m.target_list;
    m.target_list = nullptr;
    for (module_use* use = dropped; use != nullptr; use = use->next_target) {
      if (use->next_source != nullptr)
        use->next_source->source = use->source;
      *use->source = use->next_source;
      use->used->refcnt.fetch_sub(1, std::memory_order_release);
    }
  }
  while (dropped != nullptr) {
    module_use* next = dropped->next_target;
    env.state.free_record(dropped);
    dropped = next;
  }
  env.undone("module_unload_free"sv);
}

struct module_unload_init {
  static constexpr std::string_view name = "module_unload_init"sv;
  using mutates = types<module_record>;

  template <class Env>
  static errc run(Env&, module_record& m) noexcept {
    m->refcnt.store(2, std::memory_order_relaxed);
    m->source_list = m->target_list = nullptr;
    return errc::ok;
  }

  template <class Env>
  static void undo(Env& env, module_record& m) noexcept {
    module_unload_free(env, *m);
  }
};

} // namespace kmodld::steps
