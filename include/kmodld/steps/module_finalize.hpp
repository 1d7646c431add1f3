// SPDX-License-Identifier: MIT
// module_finalize: what the architecture and then the host do to a relocated module. The last part
// of post_relocation, whose undo is module_arch_cleanup.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

/// May refuse: the errno of either; the code says whose. Who fails has undone what he did himself.
template <class Env>
errc module_finalize(Env& env, section_table const& table, arch_state<typename Env::arch>& slots,
                     module& m) noexcept {
  using arch = typename Env::arch;
  using context_type = finalize_context<arch>;
  constexpr bool by_arch = requires(context_type const& c) { arch::finalize(c); };
  constexpr bool by_host = finalize_hook<typename Env::hooks_type, arch>;
  if constexpr (by_arch || by_host) {
    context_type const context{m, table, slots.state, env.state.settings};
    if constexpr (by_arch)
      if (int const refused = arch::finalize(context); refused != 0)
        return env.fail(errc::finalize_failed, {}, static_cast<u64>(refused));
    if constexpr (by_host)
      if (int const refused = env.hooks().finalize(context); refused != 0)
        return env.fail(errc::hook_refused, {}, static_cast<u64>(refused));
  }
  return errc::ok;
}

template <class Env>
void module_arch_cleanup(Env& env, module& m) noexcept {
  if constexpr (finalize_hook<typename Env::hooks_type, typename Env::arch>)
    env.hooks().cleanup(m);
  static_cast<void>(m);
  env.undone("module_arch_cleanup"sv);
}

} // namespace kmodld::steps
