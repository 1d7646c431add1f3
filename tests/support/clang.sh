# SPDX-License-Identifier: MIT
# Sourced by the parts clang-*.sh: the unit tests compile without a warning by $compiler as well.
. "$(dirname "$0")/../support/part.sh"

flags='-std=c++20 -Iinclude -Itests -DDOCTEST_CONFIG_SUPER_FAST_ASSERTS'
flags="$flags -Wall -Wextra -Wconversion -Werror -fsyntax-only"
if need "unit tests by $compiler" "$compiler"; then
  for file in $(find tests -name '*_test.cpp' | sort); do
    check "$file by $compiler" "$compiler" $flags "$file"
  done
fi
finish
