// SPDX-License-Identifier: MIT
// The one translation unit of every unit-test program that holds doctest itself and its main().
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
