# SPDX-License-Identifier: MIT
# What compiling a full loader costs, in seconds of processor time (best of three), and as ratio to a
# file with the same standard headers alone. Limits: 2 s at -O0, 4 s at -O2.
. "$(dirname "$0")/../support/part.sh"

cpu_seconds() {
  sh -c '"$@"; times' sh "$@" 2>/dev/null | tail -n 1 |
    awk '{ split($1, u, /[ms]/); split($2, s, /[ms]/); print (u[1] + s[1]) * 60 + u[2] + s[2] }'
}
best_of_three() {
  for run in 1 2 3; do cpu_seconds "$@"; done | sort -n | head -n 1
}
below() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a > 0 && a <= b) }' || { echo "$1 s > $2 s"; return 1; }; }

sed -n '/^<!-- allowed headers/,/^<!-- end/s/.*`\(.*\)`.*/#include <\1>/p' docs/design.md >"$scratch/headers.cpp"
check 'list of standard headers in docs/design.md' test -s "$scratch/headers.cpp"
for level in -O0:2 -O2:4; do
  limit=${level#*:} level=${level%:*}
  compile="g++ -std=c++20 -Iinclude -Itests $level -c -o $scratch/object.o"
  check "loader.cpp $level compiles" $compile tests/reports/loader.cpp
  loader=$(best_of_three $compile tests/reports/loader.cpp)
  headers=$(best_of_three $compile "$scratch/headers.cpp")
  awk -v level="$level" -v a="$loader" -v b="$headers" -v limit="$limit" 'BEGIN {
    printf "compile time of a full loader, g++ %s: %.2f s, limit %d s; the standard headers alone: %.2f s, ratio %.1f\n",
           level, a, limit, b, (b > 0 ? a / b : 0) }'
  check "compile time at $level" below "$loader" "$limit"
done
finish
