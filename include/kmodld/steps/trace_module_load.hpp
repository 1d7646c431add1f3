// SPDX-License-Identifier: MIT
// trace_module_load: the trace event of a load. Never fails.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

struct trace_module_load {
  static constexpr std::string_view name = "trace_module_load"sv;
  using mutates = types<module_record>;

  template <class Env>
  static errc run(Env& env, module_record& m) noexcept {
    if constexpr (trace_event_hook<typename Env::hooks_type>)
      env.hooks().trace_load(*m);
    static_cast<void>(env);
    static_cast<void>(m);
    return errc::ok;
  }
};

} // namespace kmodld::steps
