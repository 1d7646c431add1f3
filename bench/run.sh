# SPDX-License-Identifier: MIT
# sh bench/run.sh [PART...]: installs what it needs, builds bench_paired, runs it on Debian's modules
# and prints the table and the goals; figures.json and loops.svg, link.svg go to build-bench/. PART:
# loops, other-loops, lookup, link, threads, llvm, dlopen; none: all, the static linkers for scale, and
# bench_micro, small parts by themselves.
#
# Use a machine that does nothing else. KMODLD_ROUNDS: rounds of a comparison (31).
set -u
cd "$(dirname "$0")/.." || exit 2
build=${KMODLD_BENCH_BUILD:-build-bench}
packages_file=tests/support/packages.sh
. "./$packages_file"
install_packages $packages_needed $packages_libraries llvm-19-dev lld-19 mold gnuplot-nox xz-utils

if [ -f "$build/build.ninja" ]; then set -- --reconfigure -- "$@"; else set -- -- "$@"; fi
meson_args=
while [ "$1" != -- ]; do meson_args="$meson_args $1"; shift; done
shift
CXX=${CXX:-g++} meson setup $meson_args --buildtype=release -Dtests=disabled -Dexamples=disabled "$build" \
  >"$build.log" 2>&1 || { tail -n 20 "$build.log"; exit 1; }
rm -f "$build.log"
ninja -C "$build" bench/bench_paired bench/bench_micro || exit 1

fetched() { # fetched OPTION COMMAND...: prints OPTION and the directory, or nothing and why on stderr
  option=$1; shift
  if root=$("$@"); then printf '%s=%s' "$option" "$root"; fi
}
amd64=$(fetch_kernel 6_1) || amd64=$(fetch_kernel newest) || exit 1
arm64=$(fetched --arm64 fetch_kernel arm64)
riscv64=$(fetched --riscv64 sh tests/support/fetch.sh --suite sid --arch riscv64 \
  'linux-modules-[0-9]*+deb[0-9]*-riscv64')
"$build/bench/bench_paired" --amd64 "$amd64" $arm64 $riscv64 --rounds "${KMODLD_ROUNDS:-31}" \
  --json "$build/figures.json" "$@" || exit 1
sh bench/plot.sh "$build/figures.json" "$build"
[ $# -ne 0 ] || sh bench/static_linkers.sh
[ $# -ne 0 ] || "$build/bench/bench_micro" --benchmark_min_time=0.1
