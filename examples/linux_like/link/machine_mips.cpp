// SPDX-License-Identifier: MIT
#include "link_with.hpp"

#include <kmodld/arch/mips.hpp>

namespace linux_like {

template const machine& machine_for<kmodld::arch::mips>();
template const machine& machine_for<kmodld::arch::mipsel>();

} // namespace linux_like
