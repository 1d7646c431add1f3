# SPDX-License-Identifier: MIT
# clang-tidy over two translation units: the whole core in use, and every hosted header.
. "$(dirname "$0")/../support/part.sh"

if need clang-tidy clang-tidy-19; then
  for header in $(hosted_headers); do echo "#include <${header#include/}>"; done >"$scratch/hosted.cpp"
  flags='-std=c++20 -Iinclude'
  check 'core' clang-tidy-19 --quiet --config-file=.clang-tidy tests/freestanding/core.cpp -- $flags
  check 'hosted' clang-tidy-19 --quiet --config-file=.clang-tidy "$scratch/hosted.cpp" -- $flags
fi
finish
