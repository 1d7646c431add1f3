# SPDX-License-Identifier: MIT
# Every C and C++ file of the tree is formatted as .clang-format says, names its licence first, and
# leaves nothing marked as unfinished.
. "$(dirname "$0")/../support/part.sh"
formatted() { clang-format-19 "$1" | cmp -s - "$1" || { echo "clang-format-19 -i $1"; return 1; }; }
unfinished() { ! grep -nwE 'TO[D]O|FIX[M]E|X[X]X|HA[C]K' "$1"; }
licence() { head -n 1 "$1" | grep -q 'SPDX-License-Identifier: MIT'; }

sources=$(find include tests examples bench docs -type f \( -name '*.hpp' -o -name '*.cpp' -o -name '*.h' \
  -o -name '*.c' \) ! -path '*/data/*' 2>/dev/null | sort)
for file in $sources; do
  check "nothing unfinished in $file" unfinished "$file"
  case $file in tests/compile_fail/*) ;; *) check "licence line of $file" licence "$file" ;; esac
done
if need format clang-format-19; then
  # All at once; which file it is, is only asked if one is not.
  if clang-format-19 --dry-run -Werror $sources >/dev/null 2>&1; then
    passed=$((passed + $(echo "$sources" | wc -l)))
  else
    for file in $sources; do check "format of $file" formatted "$file"; done
  fi
fi
finish
