// SPDX-License-Identifier: MIT
// Compiled once for all sources of this folder.
#include "loader/fixture.hpp"

#include <doctest/doctest.h>
