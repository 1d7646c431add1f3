// SPDX-License-Identifier: MIT
// audit_log_kern_module: tells the host's audit trail the name. Never fails.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

struct audit_log_kern_module {
  static constexpr std::string_view name = "audit_log_kern_module"sv;
  using needs = types<load_info>;

  template <class Env>
  static errc run(Env& env, load_info const& info) noexcept {
    if constexpr (audit_hook<typename Env::hooks_type>)
      env.hooks().audit(info.name);
    return errc::ok;
  }
};

} // namespace kmodld::steps
