// SPDX-License-Identifier: MIT
#include "link_with.hpp"

#include <kmodld/arch/powerpc64.hpp>

namespace linux_like {

template const machine& machine_for<kmodld::arch::powerpc64>();
template const machine& machine_for<kmodld::arch::powerpc64le>();

} // namespace linux_like
