// SPDX-License-Identifier: MIT
// What modules_glue.hpp needs to know about aarch64.
#pragma once

#include "../common/types.hpp"

#include <kmodld/arch/aarch64.hpp>

namespace kernel::modules {

using machine_arch = kmodld::arch::aarch64;

/// Compiled modules import nothing here beside functions.
inline constexpr text machine_exports = "";

/// The kind of exception table entry that is a jump and nothing else: EX_TYPE_UACCESS_ERR_ZERO (in
/// the lower half) whose two registers, for the error and for zero, are both xzr.
inline constexpr u32 extable_jump_only = 2 | (31 | 31 << 5) << 16;

} // namespace kernel::modules
