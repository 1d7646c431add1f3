// SPDX-License-Identifier: MIT
// check_modstruct_version: the export `module_layout` stands for the layout of the kernel's
// structures; its CRC must be the one the module was built with.
// May refuse: ENOEXEC. Acquires nothing.
#pragma once

#include <kmodld/steps/check_version.hpp>

namespace kmodld::steps {

template <class Config>
struct check_modstruct_version {
  using image_type = elf::image<typename Config::arch::format>;
  static constexpr std::string_view name = "check_modstruct_version"sv;
  using needs = types<image_type, load_info>;

  template <class Env>
  static errc run(Env& env, image_type const& image, load_info const& info) noexcept {
    if constexpr (!Env::abi::modversions)
      return errc::ok;
    exported_symbol layout;
    {
      lock_guard lock{env.policy().lock};
      if (!env.policy().symbol_resolver.find("module_layout"sv, true, layout))
        return errc::ok;
    }
    expected_versions<Env> versions;
    static_cast<void>(versions.read(env, image, info, false));
    errc code = check_version(env, versions, info, nullptr, "module_layout"sv, layout);
    return code == errc::ok ? code : env.fail(errc::version_layout);
  }
};

} // namespace kmodld::steps
