// SPDX-License-Identifier: MIT
#include "link_with.hpp"

#include <kmodld/arch/riscv.hpp>

namespace linux_like {

template const machine& machine_for<kmodld::arch::riscv32>();
template const machine& machine_for<kmodld::arch::riscv64>();

} // namespace linux_like
