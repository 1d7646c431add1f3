# SPDX-License-Identifier: MIT
# What compiling a full loader costs. GCC's own count of the memory it gave to trees and instructions
# is the same on every machine and in every run, so it is what a change is judged by: limits are 2 %
# above what was counted when they were set. Seconds of processor time (best of three) must be below 2
# at -O0 and 4 at -O2, where the machine is one that compiles the standard headers alone within 0.25 s;
# a slower or busier one is told about, not failed for.
. "$(dirname "$0")/../support/part.sh"

cpu_seconds() {
  sh -c '"$@"; times' sh "$@" 2>/dev/null | tail -n 1 |
    awk '{ split($1, u, /[ms]/); split($2, s, /[ms]/); print (u[1] + s[1]) * 60 + u[2] + s[2] }'
}
best_of_three() {
  for run in 1 2 3; do cpu_seconds "$@"; done | sort -n | head -n 1
}
compiler_megabytes() {
  LC_ALL=C "$@" -ftime-report 2>&1 | awk '/^ *TOTAL / { m = $NF; if (sub(/M$/, "", m)) print m }'
}
at_most() { # at_most FIGURE LIMIT UNIT: a figure that is missing is no success
  awk -v a="$1" -v b="$2" 'BEGIN { exit !(a > 0 && a <= b) }' || { echo "${1:-nothing} $3, limit $2"; return 1; }
}
quick_machine() { awk -v h="$1" 'BEGIN { exit !(h <= 0.25) }'; }

sed -n '/^<!-- allowed headers/,/^<!-- end/s/.*`\(.*\)`.*/#include <\1>/p' docs/design.md >"$scratch/headers.cpp"
check 'list of standard headers in docs/design.md' test -s "$scratch/headers.cpp"
for each in '-O0 2 200' '-O2 4 218'; do
  set -- $each
  level=$1 limit=$2 megabytes=$3
  compile="g++ -std=c++20 -Iinclude -Itests $level -c -o $scratch/object.o"
  check "loader.cpp $level compiles" $compile tests/reports/loader.cpp
  loader=$(best_of_three $compile tests/reports/loader.cpp)
  headers=$(best_of_three $compile "$scratch/headers.cpp")
  memory=$(compiler_megabytes $compile tests/reports/loader.cpp)
  echo "compile time of a full loader, g++ $level: $loader s, limit $limit s; the standard headers alone:" \
    "$headers s; compiler's memory: $memory MB, limit $megabytes MB"
  check "compiler's memory at $level" at_most "$memory" "$megabytes" MB
  check "compile time at $level is measured" test -n "$loader" -a -n "$headers"
  if quick_machine "$headers"; then check "compile time at $level" at_most "$loader" "$limit" s
  else echo "  the headers alone took more than 0.25 s: the limit of $limit s is not for this machine"; fi
done
finish
