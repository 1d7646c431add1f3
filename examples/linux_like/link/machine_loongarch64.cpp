// SPDX-License-Identifier: MIT
#include "link_with.hpp"

#include <kmodld/arch/loongarch64.hpp>

namespace linux_like {

template const machine& machine_for<kmodld::arch::loongarch64>();

} // namespace linux_like
