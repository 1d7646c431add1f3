# SPDX-License-Identifier: MIT
# Sourced by the parts (tests/parts/*.sh), which count small checks: `check NAME COMMAND...` runs one,
# shows its output if it fails; `skip NAME REASON` notes one that cannot run here; `finish` ends.
# Runs in the project's root; $scratch is a directory of its own, $build the build tree.
set -u
cd "${KMODLD_SOURCE:-$(dirname "$0")/../..}" || exit 2
build=${KMODLD_BUILD:-build}
packages_file=tests/support/packages.sh
. "./$packages_file"
scratch=$(mktemp -d); trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0 skipped=0

check() {
  check_name=$1; shift
  if "$@" >"$scratch/check.log" 2>&1; then passed=$((passed + 1))
  else failed=$((failed + 1)); echo "FAILED: $check_name"; head -n 40 "$scratch/check.log"; fi
}
skip() { skipped=$((skipped + 1)); echo "SKIPPED: $1: $2"; }
need() { # need NAME TOOL: false, and one skipped check, where TOOL is missing
  command -v "$2" >/dev/null 2>&1 || { skip "$1" "$2 is not installed"; return 1; }
}
# package_root 6_1|6_12|newest: prints where that kernel package is unpacked; false, and the reason
# on stderr, where it cannot be had. tests/run.sh has asked already, so it is not asked twice.
package_root() {
  eval "known=\${KMODLD_ROOT_$1:-}"
  if [ -n "$known" ]; then echo "$known"
  elif [ -n "${KMODLD_BUILT:-}" ]; then echo "kernel package $1 cannot be had" >&2; return 1
  else fetch_kernel "$1"; fi
}
finish() {
  echo "$passed passed, $failed failed, $skipped skipped"
  [ $failed -eq 0 ] || exit 1
  exit 0
}

# The compilers the core promises to serve, and how each is told to stay off libc and vector registers.
core_compilers='g++ clang++-14 clang++-19'
core_flags() {
  echo "-std=c++20 -Iinclude -Wall -Wextra -Wconversion -Werror -ffreestanding -fno-exceptions -fno-rtti"
  case $1 in
    clang*) echo "-mno-sse -mno-mmx -msoft-float" ;;
    *) echo "-mgeneral-regs-only" ;;
  esac
}
core_headers() { find include/kmodld -name '*.hpp' ! -path '*/hosted/*' | sort; }
hosted_headers() { find include/kmodld -path '*/hosted/*.hpp' | sort; }
