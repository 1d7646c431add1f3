# SPDX-License-Identifier: MIT
# What compiling a full loader costs, in seconds of processor time (best of three), and as ratio to a
# file with the same standard headers alone. Limits: 2 s at -O0, 4 s at -O2; on a machine that is
# slower, or busy, 6.5 and 9.5 times the headers (seen: 4.1 to 5.6 and 6.9 to 8.2).
. "$(dirname "$0")/../support/part.sh"

cpu_seconds() {
  sh -c '"$@"; times' sh "$@" 2>/dev/null | tail -n 1 |
    awk '{ split($1, u, /[ms]/); split($2, s, /[ms]/); print (u[1] + s[1]) * 60 + u[2] + s[2] }'
}
best_of_three() {
  for run in 1 2 3; do cpu_seconds "$@"; done | sort -n | head -n 1
}
below() { # below SECONDS LIMIT HEADERS TIMES
  awk -v a="$1" -v b="$2" -v c="$3" -v n="$4" 'BEGIN { exit !(a > 0 && c > 0 && (a <= b || a <= n * c)) }' ||
    { echo "$1 s > $2 s and > $4 times $3 s"; return 1; }
}

sed -n '/^<!-- allowed headers/,/^<!-- end/s/.*`\(.*\)`.*/#include <\1>/p' docs/design.md >"$scratch/headers.cpp"
check 'list of standard headers in docs/design.md' test -s "$scratch/headers.cpp"
for each in '-O0 2 6.5' '-O2 4 9.5'; do
  set -- $each
  level=$1 limit=$2 times=$3
  compile="g++ -std=c++20 -Iinclude -Itests $level -c -o $scratch/object.o"
  check "loader.cpp $level compiles" $compile tests/reports/loader.cpp
  loader=$(best_of_three $compile tests/reports/loader.cpp)
  headers=$(best_of_three $compile "$scratch/headers.cpp")
  awk -v level="$level" -v a="$loader" -v b="$headers" -v limit="$limit" 'BEGIN {
    printf "compile time of a full loader, g++ %s: %.2f s, limit %d s; the standard headers alone: %.2f s, ratio %.1f\n",
           level, a, limit, b, (b > 0 ? a / b : 0) }'
  check "compile time at $level" below "$loader" "$limit" "$headers" "$times"
done
finish
