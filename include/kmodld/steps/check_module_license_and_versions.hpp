// SPDX-License-Identifier: MIT
// check_module_license_and_versions: names that taint, exports without versions.
// May refuse: ENOEXEC. Acquires nothing.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/linux/license.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

struct check_module_license_and_versions {
  static constexpr std::string_view name = "check_module_license_and_versions"sv;
  using mutates = types<module_record>;

  template <class Env>
  static errc run(Env& env, module_record& m) noexcept {
    if constexpr (Env::abi::module_struct) {
      bool const before = env.kernel_tainted(taint_proprietary);
      name_taint const tainted = taint_by_name(m->name());
      if (tainted.kernel)
        env.taint(tainted.module ? m.record : nullptr, taint_proprietary);
      if (!before && env.kernel_tainted(taint_proprietary))
        env.note(errc::taint_license_name);
    }
    if constexpr (Env::abi::modversions) {
      auto const& s = m->sections;
      if ((s.syms && !s.crcs) || (s.gpl_syms && !s.gpl_crcs))
        if (!env.force_load(m.record, "no versions for exported symbols"sv))
          return env.fail(errc::exports_without_versions);
    }
    return errc::ok;
  }
};

} // namespace kmodld::steps
