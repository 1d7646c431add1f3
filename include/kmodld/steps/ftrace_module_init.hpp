// SPDX-License-Identifier: MIT
// ftrace_module_init: call sites of the tracer become nops while text is still writable and nobody
// runs it. A failure is only logged. Undo: ftrace_release_mod.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

template <class Env>
void ftrace_release_mod(Env& env, module& m) noexcept {
  if constexpr (ftrace_hook<typename Env::hooks_type>)
    env.hooks().ftrace_release(m);
  static_cast<void>(m);
  env.undone("ftrace_release_mod"sv);
}

struct ftrace_module_init {
  static constexpr std::string_view name = "ftrace_module_init"sv;
  using mutates = types<module_record>;

  template <class Env>
  static errc run(Env& env, module_record& m) noexcept {
    if constexpr (ftrace_hook<typename Env::hooks_type>)
      if (m->sections.ftrace_callsites && env.hooks().ftrace_init(*m) != 0)
        env.note(errc::ftrace_failed);
    return errc::ok;
  }

  template <class Env>
  static void undo(Env& env, module_record& m) noexcept {
    ftrace_release_mod(env, *m);
  }
};

} // namespace kmodld::steps
