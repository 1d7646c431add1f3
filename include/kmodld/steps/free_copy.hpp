// SPDX-License-Identifier: MIT
// free_copy: the commit. The load's scratch memory goes; from here everything belongs to the module
// record. Never fails. Undo: what do_init_module does when init fails, in place of all earlier
// undos.
#pragma once

#include <kmodld/steps/free_module.hpp>

namespace kmodld::steps {

struct free_copy {
  static constexpr std::string_view name = "free_copy"sv;
  static constexpr bool commits = true;
  using mutates = types<section_table, resolved_symbols, module_record>;

  template <class Env>
  static errc run(Env& env, section_table& table, resolved_symbols& symbols,
                  module_record&) noexcept {
    table = {};
    symbols = {};
    env.free_scratch();
    return errc::ok;
  }

  template <class Env>
  static void undo(Env& env, section_table&, resolved_symbols&, module_record& m) noexcept {
    m->state.store(module_state::going, std::memory_order_release);
    env.policy().reclaimer.synchronize();
    m->refcnt.fetch_sub(1, std::memory_order_release);
    notify_going(env, *m);
    klp_module_going(env, *m);
    ftrace_release_mod(env, *m);
    free_module(env, m);
  }
};

} // namespace kmodld::steps
