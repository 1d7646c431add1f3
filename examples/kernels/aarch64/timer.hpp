// SPDX-License-Identifier: MIT
// The timer's interrupt, the only one that is enabled.
#pragma once

#include "../common/types.hpp"

namespace kernel::timer {

/// Called with the address that an interrupt found at work.
void interrupt(u64 instruction);

} // namespace kernel::timer
