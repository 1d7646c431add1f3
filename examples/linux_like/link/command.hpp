// SPDX-License-Identifier: MIT
// The command link by itself: it needs no kernel.
#pragma once

#include "../words.hpp"

#include <span>

namespace linux_like {

/// `FILE... [--abs NAME=0xVALUE]... [--section FILE:NAME=0xADDRESS]... --base 0xADDRESS -o IMAGE
/// --map MAP.json`. Throws refusal; then neither image nor map is left.
void link_objects(std::span<const word> given);

} // namespace linux_like
