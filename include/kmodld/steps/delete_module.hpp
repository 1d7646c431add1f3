// SPDX-License-Identifier: MIT
// delete_module: the checks of an unload in the kernel's order, exit, and free_module.
// May refuse: EPERM, ENOENT, EWOULDBLOCK (EAGAIN), EBUSY.
#pragma once

#include <kmodld/steps/free_module.hpp>

namespace kmodld {

/// Flags of delete_module; it never blocks, whatever O_NONBLOCK says.
struct unload_flags {
  bool force = false;   ///< O_TRUNC: unload although in use or permanent
  bool at_exit = false; ///< the loader itself ends: force, also where users may not
};

namespace steps {

/// try_stop_module: what the module itself has (1) and its caller holds -> 0, or unchanged and
/// false.
inline bool try_release_module_ref(module& m, u32 callers) noexcept {
  u32 last = 1 + callers;
  return m.refcnt.compare_exchange_strong(last, 0, std::memory_order_acq_rel);
}

/// `held`, if it is not null, is the module that is meant: its caller has one reference, which goes
/// with it, so that no other module can have got its name.
template <class Env>
errc delete_module(Env& env, std::string_view wanted, unload_flags flags,
                   module* held = nullptr) noexcept {
  env.module_name = wanted;
  if (env.state.settings.modules_disabled)
    return env.fail(errc::not_permitted);
  if constexpr (audit_hook<typename Env::hooks_type>)
    env.hooks().audit(wanted);
  module_record m;
  {
    lock_guard lock{env.policy().lock};
    m.record = env.state.modules.find(wanted, false);
    if (m.record == nullptr || (held != nullptr && m.record != held))
      return env.fail(errc::unload_no_module);
    if (m->source_list != nullptr)
      return env.fail(errc::unload_in_use);
    // LIVE, but its load still gives init memory back: Linux would let a forced unload run into it.
    if (m->state.load(std::memory_order_acquire) != module_state::live || !m->init_over)
      return env.fail(errc::unload_not_live);
    bool const forced = flags.at_exit || (flags.force && Env::abi::force_unload);
    if (m->init && !m->exit) {
      if (!forced)
        return env.fail(errc::unload_permanent);
      env.state.taints.fetch_or(taint_forced_rmmod, std::memory_order_relaxed);
    }
    u32 const callers = held != nullptr;
    if (!try_release_module_ref(*m, callers)) {
      if (!forced)
        return env.fail(errc::unload_in_use);
      m->refcnt.fetch_sub(callers, std::memory_order_release);
      env.state.taints.fetch_or(taint_forced_rmmod, std::memory_order_relaxed);
    }
    m->state.store(module_state::going, std::memory_order_release);
    env.module_name = m->name();
  }
  if (m->exit)
    env.policy().invoker.exit(*m, m->exit);
  notify_going(env, *m);
  klp_module_going(env, *m);
  ftrace_release_mod(env, *m);
  if constexpr (async_hook<typename Env::hooks_type>)
    env.hooks().async_synchronize();
  {
    lock_guard lock{env.policy().lock};
    copy_text(env.state.last_unloaded, m->name());
    env.state.last_unloaded_taints = m->taints;
  }
  env.module_name = {};
  free_module(env, m);
  env.policy().lock.wake();
  return errc::ok;
}

} // namespace steps
} // namespace kmodld
