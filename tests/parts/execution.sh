# SPDX-License-Identifier: MIT
# Modules are loaded and executed on each machine that QEMU and a cross compiler of Debian can be had
# for, one line a machine; then hosts of every byte order and word size link the same objects.
# docs/execution.md
. "$(dirname "$0")/../support/part.sh"
. tests/execution/machines.sh
KMODLD_BUILD=$build; export KMODLD_BUILD

echo $machines | tr ' ' '\n' | xargs -P 2 -I {} sh -c \
  'sh tests/execution/run.sh {} >"$0/{}" 2>&1; echo $? >"$0/{}.status"' "$scratch"
for name in $machines; do
  case $(cat "$scratch/$name.status" 2>/dev/null) in
    0)
      passed=$((passed + 1)); tail -n 1 "$scratch/$name"
      case $(tail -n 1 "$scratch/$name") in
        *"Debian's modules:"*) skip "Debian's modules on $name" 'see the line above' ;;
      esac ;;
    77) skip "execution on $name" "$(tail -n 1 "$scratch/$name")" ;;
    *) failed=$((failed + 1)); echo "FAILED: execution on $name"; tail -n 30 "$scratch/$name" ;;
  esac
done

objects=''
for sample in amd64/gcc-large-pic/x86_64 arm64/gcc-pic/aarch64 armhf/gcc-arm-pic/arm s390x/gcc-pic/s390x \
  mips/gcc-jumps/mips ppc64/gcc-O2/powerpc64; do
  object=$build/execution/${sample%/*}/consumer.o
  [ ! -f "$object" ] || objects="$objects ${sample##*/} $object"
done
crosslink() { sh tests/execution/run.sh "$1" $objects >"$scratch/linked-$1" 2>&1; }
same() { diff "$scratch/linked-amd64" "$scratch/linked-$1"; }
if crosslink amd64; then
  echo "linked on amd64, i386, s390x, mips and m68k: $(wc -l <"$scratch/linked-amd64") objects"
  for name in i386 s390x mips m68k; do
    crosslink $name
    case $? in
      0) check "$name links to the same bytes as amd64" same $name ;;
      77) skip "linking on $name" "$(tail -n 1 "$scratch/linked-$name")" ;;
      *) check "linking on $name" sh -c "cat '$scratch/linked-$name'; false" ;;
    esac
  done
else check 'linking on amd64' sh -c "cat '$scratch/linked-amd64'; false"; fi
finish
