// SPDX-License-Identifier: MIT
// Uses the whole core in one object that is linked with nothing: tests/parts/freestanding.sh reads
// with nm what it would need, tests/parts/tidy.sh reads it with clang-tidy.
#if __has_include(<kmodld/kmodld.hpp>)
#include <kmodld/kmodld.hpp>
#else
#include <kmodld/error.hpp>
#endif
#if __has_include(<kmodld/reloc.hpp>)
#include <kmodld/reloc.hpp>
#endif
