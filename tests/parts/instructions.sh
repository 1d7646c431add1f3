# SPDX-License-Identifier: MIT
# What work costs in instructions, counted by callgrind: a relocation in the hot loop, and that a
# load, an unload and a lookup do not grow with the number of modules, nor the arena's work with time.
# Nothing is timed.
. "$(dirname "$0")/../support/part.sh"

need instructions valgrind || finish
program=$build/tests/instructions
check 'the program was built' test -x "$program"

# counted ARGUMENT...: what it prints goes to $scratch/said, the instructions to $count.
count=0
counted() {
  valgrind --tool=callgrind --collect-atstart=no --toggle-collect='*measured_*' \
    --callgrind-out-file=/dev/null "$program" "$@" >"$scratch/said" 2>"$scratch/log" || {
    tail -n 5 "$scratch/log"; return 1; }
  count=$(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$scratch/log")
  [ "${count:-0}" -gt 0 ] || { cat "$scratch/log"; return 1; }
}
at_most() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a > 0 && a <= b) }' || { echo "$1 > $2"; return 1; }; }

loop() { # loop NAME FILE LIMIT: instructions a relocation
  check "loop of $1" counted loop "$2"
  each=$(awk -v n="${count:-0}" -v r="$(cat "$scratch/said")" 'BEGIN { printf "%.1f", (r > 0 ? n / r : 0) }')
  echo "instructions a relocation, all checks, $1: $each, limit $3"
  check "instructions a relocation, $1" at_most "$each" "$3"
}
if root=$(package_root newest 2>"$scratch/why"); then
  loop 'xfs of amd64' "$(find "$root"/lib/modules -name xfs.ko | head -n 1)" 20
else
  skip 'instructions a relocation' "$(tail -n 1 "$scratch/why")"
fi
loop_of() { # loop_of ARCH LIMIT FETCHED...: of amdgpu
  arch=$1 limit=$2; shift 2
  if root=$(sh tests/support/fetch.sh "$@" 2>"$scratch/why"); then
    loop "amdgpu of $arch" "$(find "$root" -name 'amdgpu.ko*' | head -n 1)" "$limit"
  else
    skip "instructions a relocation, $arch" "$(tail -n 1 "$scratch/why")"
  fi
}
loop_of arm64 29 $(kernel_package arm64)
loop_of riscv64 37 --suite sid --arch riscv64 'linux-modules-[0-9]*-riscv64'

# From ten modules to four thousand: at most half as much again. With one there is not yet who the
# eight imports could be from.
for what in load unload lookup; do
  first=
  for modules in 1 10 100 1000 4000; do
    check "$what with $modules modules" counted $what $modules
    echo "instructions of one $what with $modules modules: $count"
    [ $modules -eq 1 ] && continue
    first=${first:-$count}
    check "$what does not grow, $modules modules" at_most "$count" $((first + first / 2))
  done
done

# The arena's work, with as many modules each time: a thousand, in the middle of a rise and fall.
program=$build/tests/churn
first=
for steps in 10000 90000; do
  check "churn, $steps steps" counted $steps
  echo "instructions of 500 loads and unloads in the arena after $steps: $count"
  first=${first:-$count}
  check "the arena's work does not grow, $steps steps" at_most "$count" $((first + first / 4))
done
finish
