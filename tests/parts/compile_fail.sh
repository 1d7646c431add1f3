# SPDX-License-Identifier: MIT
# Wrong uses are refused with a readable sentence. Each tests/compile_fail/NAME.cpp begins with
# '// expect: TEXT'; it must compile with -DGOOD, and without it fail with TEXT in the output.
. "$(dirname "$0")/../support/part.sh"

flags='-std=c++20 -Iinclude -Itests -Wall -Wextra -fsyntax-only'
refused() { # refused FILE COMPILER
  text=$(sed -n '1s,^// expect: *,,p' "$1")
  [ -n "$text" ] || { echo "$1: no line '// expect: TEXT' at the top"; return 1; }
  if "$2" $flags "$1" >"$scratch/output" 2>&1; then echo "compiles, but should not"; return 1; fi
  # Compilers break long lines nowhere, so the sentence is found as it was written.
  grep -qF -- "$text" "$scratch/output" ||
    { echo "no '$text' in:"; grep -E 'error' "$scratch/output" | head -n 20; return 1; }
}

for compiler in g++ clang++-14; do
  need "compile_fail by $compiler" "$compiler" || continue
  for file in tests/compile_fail/*.cpp; do
    [ -f "$file" ] || { skip "compile_fail by $compiler" "no case yet"; continue; }
    check "$file with -DGOOD by $compiler" "$compiler" $flags -DGOOD "$file"
    check "$file is refused by $compiler" refused "$file" "$compiler"
  done
done
finish
