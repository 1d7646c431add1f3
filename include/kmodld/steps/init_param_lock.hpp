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
template <class Lock>
class param_lock {
public:
  param_lock(Lock& lock, module& m) noexcept : lock_{lock}, module_{m} {
    lock_guard hold{lock_};
    // Without a real lock there is one context, which cannot be inside already.
    while (module_.param_busy && lock_.wait(false) != wait_status::timed_out) {
    }
    module_.param_busy = true;
  }
  ~param_lock() {
    lock_guard hold{lock_};
    module_.param_busy = false;
    lock_.wake();
  }
  param_lock(param_lock const&) = delete;
  param_lock& operator=(param_lock const&) = delete;

private:
  Lock& lock_;
  module& module_;
};

} // namespace kmodld::steps
