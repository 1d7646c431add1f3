// SPDX-License-Identifier: MIT
// One comparison an architecture: true if there was nothing to complain of.
#pragma once

#include "linkers/link.hpp"

namespace kmodld::test::linkers {

bool x86_64(linker const&);
bool i386(linker const&);
bool aarch64(linker const&);

} // namespace kmodld::test::linkers
