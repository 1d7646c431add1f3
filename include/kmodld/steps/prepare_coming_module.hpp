// SPDX-License-Identifier: MIT
// prepare_coming_module: tracing, live patches and the notifier learn of the module; each may
// refuse. May refuse: the hook's or notifier's errno. What was told before the refusal is told
// GOING. Undo (coming_cleanup): GOING, parameters freed (also those that parse_args set), notifier
// and live patches told GOING.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

/// module_destroy_params: every parameter may give back what it allocated.
template <class Env>
void module_destroy_params(Env& env, module& m) noexcept {
  kernel_params<typename Env::format> const params{m, m.sections.kp};
  kernel_param p;
  for (u32 i = 0; i < params.size(); ++i)
    if (params.get(i, p))
      env.policy().parameters.free(m, p);
  // Its tables may have changed since: what the policy still keeps for it goes now.
  if constexpr (requires { env.policy().parameters.forget(m); })
    env.policy().parameters.forget(m);
  env.undone("module_destroy_params"sv);
}

template <class Env>
void notify_going(Env& env, module& m) noexcept {
  static_cast<void>(env.policy().notifier.notify(module_event::going, m));
  env.undone("notifier GOING"sv);
}

template <class Env>
void klp_module_going(Env& env, module& m) noexcept {
  if constexpr (livepatch_hook<typename Env::hooks_type>)
    env.hooks().klp_going(m);
  static_cast<void>(m);
  env.undone("klp_module_going"sv);
}

struct prepare_coming_module {
  static constexpr std::string_view name = "prepare_coming_module"sv;
  using mutates = types<module_record>;

  template <class Env>
  static errc run(Env& env, module_record& m) noexcept {
    if constexpr (ftrace_hook<typename Env::hooks_type>)
      env.hooks().ftrace_enable(*m);
    if constexpr (livepatch_hook<typename Env::hooks_type>) {
      if (equal(m->name(), "vmlinux"sv))
        return env.fail(errc::livepatch_name);
      if (int e = env.hooks().klp_coming(*m); e != 0)
        return env.fail(errc::livepatch_refused, {}, static_cast<u64>(e));
    }
    if (int e = env.policy().notifier.notify(module_event::coming, *m); e != 0) {
      klp_module_going(env, *m);
      return env.fail(errc::notifier_refused, {}, static_cast<u64>(e));
    }
    return errc::ok;
  }

  template <class Env>
  static void undo(Env& env, module_record& m) noexcept {
    m->state.store(module_state::going, std::memory_order_release);
    module_destroy_params(env, *m);
    notify_going(env, *m);
    klp_module_going(env, *m);
  }
};

} // namespace kmodld::steps
