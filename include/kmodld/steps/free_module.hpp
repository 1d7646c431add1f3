// SPDX-License-Identifier: MIT
// free_module: the second, written list of undo. delete_module and a failing do_init_module end
// here (by free_copy's undo); the order is the kernel's.
#pragma once

#include <kmodld/steps/add_unformed_module.hpp>
#include <kmodld/steps/complete_formation.hpp>
#include <kmodld/steps/dynamic_debug_setup.hpp>
#include <kmodld/steps/ftrace_module_init.hpp>
#include <kmodld/steps/layout_and_allocate.hpp>
#include <kmodld/steps/mod_sysfs_setup.hpp>
#include <kmodld/steps/module_unload_init.hpp>
#include <kmodld/steps/post_relocation.hpp>
#include <kmodld/steps/prepare_coming_module.hpp>
#include <kmodld/steps/setup_modinfo.hpp>
#include <kmodld/steps/strndup_user.hpp>

namespace kmodld::steps {

/// `m` is GOING, its exit has run or its init has failed, notifiers know. Gives everything back;
/// the record is gone afterwards.
template <class Env>
void free_module(Env& env, module_record& m) noexcept {
  if constexpr (trace_event_hook<typename Env::hooks_type>)
    env.hooks().trace_free(*m);
  mod_sysfs_teardown(env, *m);
  free_modinfo(env, *m); // with the files that show them
  {
    // The name stays reserved: a load of the same name waits until the memory is given back.
    lock_guard lock{env.policy().lock};
    m->refcnt.store(0, std::memory_order_relaxed); // before the state: nobody takes it any more
    m->state.store(module_state::unformed, std::memory_order_release);
    m->on_bug_list = false;
    remove_exports(env, *m);
  }
  dynamic_debug_remove(env, *m);
  module_arch_cleanup(env, *m);
  module_unload_free(env, *m);
  module_destroy_params(env, *m);
  env.state.free_record(m->livepatch_elf.data());
  unlink_module(env, *m);
  free_args(env, *m);
  module_deallocate(env, m);
}

} // namespace kmodld::steps
