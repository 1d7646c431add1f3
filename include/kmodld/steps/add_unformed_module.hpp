// SPDX-License-Identifier: MIT
// add_unformed_module: reserves the name. Seen only by other loads of the same name.
// May refuse: EEXIST, EBUSY, EINTR. Undo: unlink_mod.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

/// Takes the module out of the list; afterwards no reader sees it.
template <class Env>
void unlink_module(Env& env, module& m) noexcept {
  {
    lock_guard lock{env.policy().lock};
    env.state.modules.remove(m);
    env.policy().lock.wake();
  }
  env.policy().reclaimer.synchronize();
  env.undone("unlink_mod"sv);
}

struct add_unformed_module {
  static constexpr std::string_view name = "add_unformed_module"sv;
  using mutates = types<module_record>;

  template <class Env>
  static errc run(Env& env, module_record& m) noexcept {
    m->state.store(module_state::unformed, std::memory_order_relaxed);
    lock_guard lock{env.policy().lock};
    module* other = env.state.modules.find(m->name(), true);
    if (other == nullptr) {
      env.state.modules.push_front(*m);
      return errc::ok;
    }
    // Whoever is first may still fail; but the later load is not retried, as in 6.1.
    while (other != nullptr && forming(*other)) {
      wait_status woken = env.policy().lock.wait(false);
      if (woken == wait_status::interrupted)
        return env.fail(errc::interrupted);
      if (woken == wait_status::timed_out)
        break;
      other = env.state.modules.find(m->name(), true);
    }
    return env.fail(other != nullptr && state_of(*other) == module_state::live ? errc::module_exists
                                                                               : errc::module_busy);
  }

  template <class Env>
  static void undo(Env& env, module_record& m) noexcept {
    unlink_module(env, *m);
  }

private:
  static module_state state_of(module const& m) noexcept {
    return m.state.load(std::memory_order_acquire);
  }
  static bool forming(module const& m) noexcept {
    return state_of(m) == module_state::unformed || state_of(m) == module_state::coming;
  }
};

} // namespace kmodld::steps
