// SPDX-License-Identifier: MIT
// dynamic_debug_setup: registers the module's pr_debug call sites. A failure is only logged.
// Undo: dynamic_debug_remove.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

template <class Env>
void dynamic_debug_remove(Env& env, module& m) noexcept {
  if constexpr (dynamic_debug_hook<typename Env::hooks_type>)
    env.hooks().ddebug_remove(m);
  static_cast<void>(m);
  env.undone("dynamic_debug_remove"sv);
}

struct dynamic_debug_setup {
  static constexpr std::string_view name = "dynamic_debug_setup"sv;
  using mutates = types<module_record>;

  template <class Env>
  static errc run(Env& env, module_record& m) noexcept {
    if constexpr (dynamic_debug_hook<typename Env::hooks_type>)
      if (m->sections.ddebug && env.hooks().ddebug_add(*m) != 0)
        env.note(errc::ddebug_failed);
    return errc::ok;
  }

  template <class Env>
  static void undo(Env& env, module_record& m) noexcept {
    dynamic_debug_remove(env, *m);
  }
};

} // namespace kmodld::steps
