// SPDX-License-Identifier: MIT
#include "link_with.hpp"

#include <kmodld/arch/i386.hpp>
#include <kmodld/arch/x86_64.hpp>

namespace linux_like {

template const machine& machine_for<kmodld::arch::i386>();
template const machine& machine_for<kmodld::arch::x86_64>();

} // namespace linux_like
