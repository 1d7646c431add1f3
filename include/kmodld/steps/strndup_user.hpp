// SPDX-License-Identifier: MIT
// strndup_user: the argument string's own copy, which parse_args cuts up and which lives as long as
// the module. May refuse: ENOMEM, EINVAL. Undo: kfree of the copy (with the ladder's
// ddebug_cleanup).
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

template <class Env>
void free_args(Env& env, module& m) noexcept {
  env.state.free_record(m.args.data());
  m.args = {};
  env.undone("kfree(args)"sv);
}

struct strndup_user {
  static constexpr std::string_view name = "strndup_user"sv;
  using mutates = types<module_record>;
  /// Far beyond any command line; a string this long is an error of the caller.
  static constexpr u64 longest = u64{1} << 24;

  template <class Env>
  static errc run(Env& env, module_record& m) noexcept {
    std::string_view const text = head(env.args, index_of(env.args, '\0'));
    if (text.size() > longest)
      return env.fail(errc::args_too_long, {}, longest);
    m->args = env.state.duplicate(text);
    if (m->args.data() == nullptr)
      return env.fail_no_memory("arguments"sv, text.size() + 1);
    return errc::ok;
  }

  template <class Env>
  static void undo(Env& env, module_record& m) noexcept {
    // Here stands the ladder's grace period: readers may have seen the dynamic debug table.
    env.policy().reclaimer.synchronize();
    free_args(env, *m);
  }
};

} // namespace kmodld::steps
