# SPDX-License-Identifier: MIT
# sh tests/run.sh [--long]: installs what is missing, builds everything into build/, fetches Debian's
# kernel modules, runs all tests, and ends with 'N passed, N failed, N skipped'. --long: also the
# runs that take their time. What cannot be had here is counted as skipped, with the reason.
#
# KMODLD_BUILD  another build tree than build/      KMODLD_CACHE  where downloads are kept
set -u
cd "$(dirname "$0")/.." || exit 2
for flag; do
  case $flag in
    --long) export KMODLD_LONG=1 ;;
    *) echo "usage: sh tests/run.sh [--long]" >&2; exit 2 ;;
  esac
done
build=${KMODLD_BUILD:-build}
packages_file=tests/support/packages.sh
. "$packages_file"

scratch=$(mktemp -d); trap 'rm -rf "$scratch"' EXIT
KMODLD_TALLY=$scratch/tally; export KMODLD_TALLY
: >"$KMODLD_TALLY"
count() { echo "count $*" >>"$KMODLD_TALLY"; }
note() { name=$1; shift; echo "note $name SKIPPED: $*" >>"$KMODLD_TALLY"; }

sum() {
  sed -n 's/^note //p' "$KMODLD_TALLY"
  awk '/^count/ && $4 > 0 { print "failed: " $2 }
       /^count/ { passed += $3; failed += $4; skipped += $5 }
       END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped; exit failed > 0 }' \
    "$KMODLD_TALLY"
}

install_packages $packages_needed $packages_libraries $packages_checks $packages_run \
  $packages_foreign
for package in $packages_missing; do
  count "package-$package" 0 0 1
  note "package-$package" 'cannot be installed here'
done

# Where the pinned 6.1 is gone, demonstrations (not comparisons) take the newest instead.
fetch() {
  if root=$(fetch_kernel "$1" 2>"$scratch/fetch"); then export "KMODLD_ROOT_$1=$root"; return 0; fi
  count "fetch-$1" 0 0 1
  note "fetch-$1" "$(tail -n 1 "$scratch/fetch")"
  return 1
}
if fetch 6_1; then export "KMODLD_ROOT_newest=$KMODLD_ROOT_6_1"; else fetch newest; fi
fetch 6_12
fetch linked

if [ -f "$build/build.ninja" ]; then set -- --reconfigure; else set --; fi
CC=${CC:-gcc} CXX=${CXX:-g++} meson setup "$@" "$build" >"$scratch/setup" 2>&1 || {
  tail -n 20 "$scratch/setup"
  count configure 0 1 0
  sum; exit 1
}
if ninja -C "$build" -k 0 >"$scratch/compile" 2>&1; then count build 1 0 0
else
  grep -E -A3 '^FAILED|error:' "$scratch/compile" | head -n 100
  count build 0 1 0
fi

KMODLD_BUILT=yes; export KMODLD_BUILT
meson test -C "$build" --no-rebuild --print-errorlogs --num-processes "$(nproc)"
# A test that was stopped, by the time limit or the system, left no line: it has failed.
meson test -C "$build" --no-rebuild --list 2>/dev/null | sed 's,.* / ,,' | sort -u | while read -r name; do
  grep -q "^count $name " "$KMODLD_TALLY" || echo "$name"
done >"$scratch/silent"
while read -r name; do count "$name" 0 1 0; done <"$scratch/silent"
sum
