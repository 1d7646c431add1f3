# SPDX-License-Identifier: MIT
# Each header compiles alone and twice; the core's also freestanding, by every compiler it promises
# to serve, and includes no standard header but the few that docs/design.md lists. All of them by g++
# freestanding; by the others, and hosted, every sixth, each time others, and with KMODLD_LONG all.
. "$(dirname "$0")/../support/part.sh"

alone() { # alone HEADER COMPILER FLAG...
  header=${1#include/}; shift
  printf '#include <%s>\n#include <%s>\n' "$header" "$header" | "$@" -fsyntax-only -x c++ -
}
sed -n '/^<!-- allowed headers/,/^<!-- end/s/.*`\(.*\)`.*/\1/p' docs/design.md >"$scratch/allowed"
check 'docs/design.md has the list of standard headers' test -s "$scratch/allowed"
allowed_only() {
  foreign=$(sed -n 's/^ *# *include *<\([^>]*\)>.*/\1/p' "$1" | grep -v '^kmodld/' |
    grep -Fxv -f "$scratch/allowed")
  [ -z "$foreign" ] || { echo "not in the list of docs/design.md: $foreign"; return 1; }
}
core_only() {
  ! grep -n '^ *# *include.*hosted/' "$1"
}

hosted_flags='-std=c++20 -Iinclude -Wall -Wextra -Wconversion -Werror'
every=6
[ -z "${KMODLD_LONG:-}" ] || every=1
sample() { awk -v n=$every -v k="$1" 'NR % n == k % n'; } # sample K: lines K, K + $every ...
say() { # say WHAT HEADER...: which these are
  what=$1; shift
  [ $every -eq 1 ] || echo "$what, every ${every}th:$(printf ' %s' "$@" | sed 's,include/kmodld/,,g')"
}

for header in $(core_headers); do
  check "include list of $header" allowed_only "$header"
  check "$header includes nothing of hosted/" core_only "$header"
  check "$header freestanding by g++" alone "$header" g++ $(core_flags g++)
done
for header in $(hosted_headers); do check "$header by g++" alone "$header" g++ $hosted_flags; done
offset=0
for compiler in $core_compilers; do
  [ "$compiler" != g++ ] || continue
  need "headers by $compiler" "$compiler" || continue
  offset=$((offset + 2))
  core=$(core_headers | sample $offset) hosted=$(hosted_headers | sample $offset)
  say "by $compiler" $core $hosted
  for header in $core; do
    check "$header freestanding by $compiler" alone "$header" "$compiler" $(core_flags "$compiler")
  done
  for header in $hosted; do check "$header by $compiler" alone "$header" "$compiler" $hosted_flags; done
done
core=$(core_headers | sample 6)
say 'hosted by g++' $core
for header in $core; do check "$header hosted by g++" alone "$header" g++ $hosted_flags; done

# The headers for authors of modules serve C as well as C++.
for header in $(find include/kmodld -name '*.h' | sort); do
  printf '#include <%s>\n' "${header#include/}" >"$scratch/module.c"
  for compiler in gcc clang-14 clang-19; do
    need "$header by $compiler" "$compiler" || continue
    flags='-Iinclude -Wall -Wextra -Werror -ffreestanding -fsyntax-only'
    check "$header as C by $compiler" "$compiler" -std=gnu11 $flags "$scratch/module.c"
    check "$header as C++ by $compiler" "$compiler" -x c++ -std=c++20 $flags "$scratch/module.c"
  done
done
finish
