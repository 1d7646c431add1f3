// SPDX-License-Identifier: MIT
// Compiled once for all sources of this folder.
#include "reloc/bench.hpp"
#include "support/module_builder.hpp"
#include "verify/load_linux.hpp"

#include <doctest/doctest.h>
