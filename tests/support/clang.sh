# SPDX-License-Identifier: MIT
# Sourced by the parts clang-*.sh: the unit tests compile without a warning by $compiler as well.
. "$(dirname "$0")/../support/part.sh"

flags='-std=c++20 -Iinclude -Itests -DDOCTEST_CONFIG_SUPER_FAST_ASSERTS'
flags="$flags -Wall -Wextra -Wconversion -Werror -fsyntax-only"
if need "unit tests by $compiler" "$compiler"; then
  # The library's headers are all compiled by the other parts; of the tests a sample, all with --long.
  every=6
  [ -z "${KMODLD_LONG:-}" ] || every=1
  for file in $(find tests -name '*_test.cpp' | sort | awk "NR % $every == 0"); do
    check "$file by $compiler" "$compiler" $flags "$file"
  done
fi
finish
