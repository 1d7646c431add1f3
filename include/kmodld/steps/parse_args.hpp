// SPDX-License-Identifier: MIT
// parse_args: the arguments set the module's parameters. An error does not stop it; the last one
// counts. May refuse: EINVAL, ERANGE, ENOSPC, EPERM, ENOENT, ENOMEM, ENOEXEC.
// What setting a parameter allocated goes with prepare_coming_module's undo.
#pragma once

#include <kmodld/linux/parse_args.hpp>
#include <kmodld/steps/init_param_lock.hpp>

namespace kmodld::steps {

struct parse_args {
  static constexpr std::string_view name = "parse_args"sv;
  using mutates = types<module_record>;

  template <class Env>
  static errc run(Env& env, module_record& m) noexcept {
    m->async_probe_requested = env.state.settings.async_probe;
    handler<Env> handle{env, *m};
    result<void> parsed =
        kmodld::parse_args({.who = m->name()}, m->args,
                           kernel_params<typename Env::format>{*m, m->sections.kp}, handle);
    return parsed ? errc::ok : env.fail_with(parsed.error()); // reported where it happened
  }

private:
  template <class Env>
  struct handler {
    Env& env;
    module& m;

    int set(kernel_param const& p, std::string_view value) noexcept {
      param_lock lock{env.policy().lock, m};
      return env.policy().parameters.set(m, p, value);
    }
    bool no_argument(kernel_param const& p) noexcept {
      return env.policy().parameters.no_argument(m, p);
    }
    void report(error const& e) noexcept {
      if (e.code == errc::param_dangerous)
        env.state.taints.fetch_or(taint_user, std::memory_order_relaxed);
      env.policy().diagnostics.report(e);
    }
    int unknown(std::string_view key, std::string_view value) noexcept {
      unknown_module_argument(
          m.name(), {key, value}, m.async_probe_requested,
          [&self = *this](std::string_view whose, std::string_view query) noexcept {
            self.debug(whose, query);
          },
          [this](error const& e) noexcept { report(e); });
      return 0;
    }
    void debug(std::string_view whose, std::string_view query) noexcept {
      if constexpr (dynamic_debug_hook<typename Env::hooks_type>)
        if (equal(whose, m.name()))
          static_cast<void>(env.hooks().ddebug_query(m, query));
      static_cast<void>(whose);
      static_cast<void>(query);
    }
    bool locked_down() noexcept { return env.state.settings.lockdown; }
  };
};

} // namespace kmodld::steps
