// SPDX-License-Identifier: MIT
#include "link_with.hpp"

#include <kmodld/arch/aarch64.hpp>
#include <kmodld/arch/arm.hpp>

namespace linux_like {

template const machine& machine_for<kmodld::arch::aarch64>();
template const machine& machine_for<kmodld::arch::arm>();

} // namespace linux_like
