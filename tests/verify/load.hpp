// SPDX-License-Identifier: MIT
// The one function of verify that calls kmodld.
#pragma once

#include "verify/outcome.hpp"

namespace kmodld::verify {

/// Loads `image`, the uncompressed module, with the inputs that `r` gives. May throw bad_alloc.
outcome load_for_verify(record const& r, byte_view image);

} // namespace kmodld::verify
