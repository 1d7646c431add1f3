// SPDX-License-Identifier: MIT
// Which licence texts let a module use GPL-only symbols (include/linux/license.h), and the module
// names that taint by themselves (load_module).
#pragma once

#include <kmodld/text.hpp>

namespace kmodld {

/// Exact comparison: case, spaces and everything else count.
constexpr bool license_is_gpl_compatible(std::string_view license) noexcept {
  constexpr std::string_view compatible[] = {
      "GPL"sv,          "GPL v2"sv,       "GPL and additional rights"sv,
      "Dual BSD/GPL"sv, "Dual MIT/GPL"sv, "Dual MPL/GPL"sv,
  };
  for (std::string_view text : compatible)
    if (equal(license, text))
      return true;
  return false;
}

/// The licence of a module without a `license` tag.
inline constexpr std::string_view unspecified_license = "unspecified"sv;

/// What taint_proprietary is set on because of a module's name.
struct name_taint {
  bool kernel = false;
  bool module = false;
  friend constexpr bool operator==(name_taint, name_taint) noexcept = default;
};

/// Wrappers around proprietary drivers that carry a free licence themselves. ndiswrapper's own
/// code is free, so that only the kernel is tainted and the module keeps its GPL-only symbols.
constexpr name_taint taint_by_name(std::string_view module_name) noexcept {
  if (equal(module_name, "ndiswrapper"sv))
    return {.kernel = true, .module = false};
  if (equal(module_name, "driverloader"sv) || equal(module_name, "lve"sv))
    return {.kernel = true, .module = true};
  return {};
}

} // namespace kmodld
