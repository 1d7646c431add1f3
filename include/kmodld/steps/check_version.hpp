// SPDX-License-Identifier: MIT
// check_version: whether a module was built against the export it is about to use. Part of
// check_modstruct_version and of simplify_symbols.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/linux/versions.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

/// ok, version_disagrees, version_no_symbol or versions_missing; each refusal is reported.
template <class Env>
errc check_version(Env& env, elf::image<typename Env::format> const& image, load_info const& info,
                   module* m, std::string_view symbol, exported_symbol const& exported) noexcept {
  using format = typename Env::format;
  if constexpr (!Env::abi::modversions)
    return errc::ok;
  if (!exported.has_crc)
    return errc::ok;
  if (info.vers == 0)
    return env.force_load(m, symbol) ? errc::ok
                                     : env.fail(errc::versions_missing, {.subject = symbol});
  constexpr bool drop_dots = requires { requires Env::arch::drops_dots; };
  u64 crc = 0;
  if (!modversions<format>{image.data(info.vers), drop_dots}.find(symbol, crc)) {
    if constexpr (Env::abi::modversions_strict)
      return env.fail(errc::version_no_symbol, {.subject = symbol});
    env.note(errc::version_no_symbol, {.subject = symbol});
    return errc::ok;
  }
  return crc == exported.crc ? errc::ok : env.fail(errc::version_disagrees, {.subject = symbol});
}

} // namespace kmodld::steps
