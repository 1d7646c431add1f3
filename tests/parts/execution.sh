# SPDX-License-Identifier: MIT
# Modules are loaded and executed on each machine that QEMU and a cross compiler of Debian can be had
# for; docs/execution.md. One line a machine.
. "$(dirname "$0")/../support/part.sh"
. tests/execution/machines.sh

echo $machines | tr ' ' '\n' | KMODLD_BUILD=$build xargs -P 2 -I {} sh -c \
  'sh tests/execution/run.sh {} >"$0/{}" 2>&1; echo $? >"$0/{}.status"' "$scratch"
for name in $machines; do
  case $(cat "$scratch/$name.status" 2>/dev/null) in
    0) passed=$((passed + 1)); tail -n 1 "$scratch/$name" ;;
    77) skip "execution on $name" "$(tail -n 1 "$scratch/$name")" ;;
    *) failed=$((failed + 1)); echo "FAILED: execution on $name"; tail -n 30 "$scratch/$name" ;;
  esac
done
finish
