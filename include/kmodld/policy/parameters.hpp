// SPDX-License-Identifier: MIT
// Parameters policy: how a module's parameters are set, read and freed (struct kernel_param_ops).
#pragma once

#include <kmodld/linux/kernel_param.hpp>
#include <kmodld/module.hpp>

#include <concepts>

namespace kmodld {

/// Called with the module's parameter lock held (parse_args, sysfs). `p` is one entry of __param.
template <class P>
concept parameters_policy = requires(P& policy, module& m, kernel_param const& p,
                                     std::string_view value, std::span<char> out) {
  // Sets the parameter from text; value.data() is null for a name without `=`. 0 or an errno:
  // EINVAL, ERANGE, ENOSPC, ...; the target is untouched on error, but for
  // the elements of an array before the one that failed.
  { policy.set(m, p, value) } noexcept -> std::same_as<int>;
  // Writes the value and a newline to `out`; the length, or a negative errno.
  { policy.get(m, p, out) } noexcept -> std::same_as<int>;
  // Whether a name without `=` is allowed (KERNEL_PARAM_OPS_FL_NOARG).
  { policy.no_argument(m, p) } noexcept -> std::same_as<bool>;
  // Gives back what set() allocated for it; called once for every parameter, also unset ones.
  { policy.free(m, p) } noexcept;
};

} // namespace kmodld
