# SPDX-License-Identifier: MIT
# For scale: what static linkers take for an object with 1.2 million relocations.
set -u
scratch=$(mktemp -d); trap 'rm -rf "$scratch"' EXIT
count=1200000
{
  echo '.data'
  echo "here: .quad 0"
  echo ".rept $((count / 2))"; echo '.quad here'; echo '.long there - .'; echo '.endr'
  echo '.bss'; echo 'there: .quad 0'
  echo '.globl _start'; echo '.text'; echo '_start: ret'
} >"$scratch/a.s"
cc -c "$scratch/a.s" -o "$scratch/a.o" || exit 1
relocations=$(readelf -rW "$scratch/a.o" | grep -c R_X86_64)
echo
echo "static linkers, $relocations relocations"
for linker in ld ld.lld-19 mold; do
  command -v "$linker" >/dev/null 2>&1 || { echo "  $linker: SKIPPED: is not installed"; continue; }
  case $linker in mold) flags=--no-fork ;; *) flags= ;; esac
  best=$(for run in 1 2 3 4 5; do
    start=$(date +%s%N)
    "$linker" $flags -static "$scratch/a.o" -o "$scratch/a" 2>/dev/null || exit 1
    echo $(($(date +%s%N) - start))
  done | sort -n | head -n 1)
  awk -v linker="$linker" -v time="$best" -v count="$relocations" \
    'BEGIN { printf "  %-12s %8.1f ns/relocation\n", linker, time / (count ? count : 1) }'
done
