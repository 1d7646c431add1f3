# SPDX-License-Identifier: MIT
# The first program of README.md is what it says: it compiles and links against the headers alone.
. "$(dirname "$0")/../support/part.sh"

awk '/^```cpp/ { inside = 1; next } /^```/ && inside { exit } inside' README.md 2>/dev/null >"$scratch/readme.cpp"
if [ -s "$scratch/readme.cpp" ]; then
  for compiler in g++ clang++-14; do
    need "README by $compiler" "$compiler" &&
      check "README by $compiler" "$compiler" -std=c++20 -Iinclude -Wall -Wextra "$scratch/readme.cpp" -o "$scratch/readme"
  done
else
  skip 'README' 'has no program yet'
fi
finish
