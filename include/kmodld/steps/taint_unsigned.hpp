// SPDX-License-Identifier: MIT
// The part of load_module behind CONFIG_MODULE_SIG: a module without a valid signature taints.
// Never fails; taints are not undone.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

struct taint_unsigned {
  static constexpr std::string_view name = "taint_unsigned"sv;
  using needs = types<module_image>;
  using mutates = types<module_record>;

  template <class Env>
  static errc run(Env& env, module_image const& file, module_record& m) noexcept {
    m->sig_ok = file.sig_ok;
    if constexpr (verifier_policy<std::remove_cvref_t<decltype(env.policy().verifier)>>) {
      if (!file.sig_ok) {
        if (!env.state.logged_unsigned.load(std::memory_order_relaxed))
          env.note(errc::taint_unsigned);
        env.state.logged_unsigned.store(true, std::memory_order_relaxed);
        env.taint(m.record, kmodld::taint_unsigned);
      }
    }
    return errc::ok;
  }
};

} // namespace kmodld::steps
