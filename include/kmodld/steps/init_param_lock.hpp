// SPDX-License-Identifier: MIT
// init_param_lock: parameters of one module are set and read one at a time.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

struct init_param_lock {
  static constexpr std::string_view name = "init_param_lock"sv;
  using mutates = types<module_record>;

  template <class Env>
  static errc run(Env&, module_record& m) noexcept {
    m->param_busy = false;
    return errc::ok;
  }
};

/// kernel_param_lock for a scope: a flag under the loader's lock, so that hosts supply one lock.
template <class Env>
class param_lock {
public:
  param_lock(Env& env, module& m) noexcept : env_{env}, module_{m} {
    lock_guard lock{env_.policy().lock};
    // Without a real lock there is one context, which cannot be inside already.
    while (module_.param_busy && env_.policy().lock.wait(false) != wait_status::timed_out) {
    }
    module_.param_busy = true;
  }
  ~param_lock() {
    lock_guard lock{env_.policy().lock};
    module_.param_busy = false;
    env_.policy().lock.wake();
  }
  param_lock(param_lock const&) = delete;
  param_lock& operator=(param_lock const&) = delete;

private:
  Env& env_;
  module& module_;
};

} // namespace kmodld::steps
