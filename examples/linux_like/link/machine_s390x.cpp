// SPDX-License-Identifier: MIT
#include "link_with.hpp"

#include <kmodld/arch/s390x.hpp>

namespace linux_like {

template const machine& machine_for<kmodld::arch::s390x>();

} // namespace linux_like
