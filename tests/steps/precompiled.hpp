// SPDX-License-Identifier: MIT
// Compiled once for all sources of this folder.
#include "steps/support.hpp"

#include <doctest/doctest.h>
