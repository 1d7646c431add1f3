# SPDX-License-Identifier: MIT
# Layout, symbols and relocated bytes of real modules against what real kernels and linkers made of
# them. Each module counts.
. "$(dirname "$0")/../support/part.sh"

compare() { # FILE ROOT
  "$build/tests/verify" "tests/data/$1.jsonl.xz" "$2" >"$scratch/verify" 2>&1
  grep -v ' passed, ' "$scratch/verify" | head -n 40
  set -- $(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$scratch/verify")
  [ $# -eq 3 ] || { failed=$((failed + 1)); return; }
  passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

for pair in 6_1:linux-6.1.0-56-amd64 6_12:linux-6.12.117-amd64 linked:linked-amd64; do
  file=${pair#*:}
  if root=$(package_root "${pair%%:*}" 2>"$scratch/why"); then compare "$file" "$root"
  else skip "$file" "$(cat "$scratch/why")"; fi
done
finish
