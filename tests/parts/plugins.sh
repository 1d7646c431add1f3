# SPDX-License-Identifier: MIT
# The plugin host of examples/plugin, with glibc and hosted/, on each machine that Debian has both a
# C library and an emulator for: built by the machine's compiler, run under QEMU, with plugins
# compiled in every way that its compilers mean for programs. On machines of 32 bits also arenas above
# 2 GiB.
. "$(dirname "$0")/../support/part.sh"
. tests/execution/machines.sh
cache=$(command -v ccache) || cache=''

# hosted NAME: what plugins are compiled with, a line each; nothing for machines without.
hosted() {
  case $1 in
    armhf) printf '%s\n' '-fpic -mthumb' '-fpic -marm' '-fno-pic -mthumb' '-fno-pic -marm' ;;
    mips64el | mips64 | m68k) echo -fPIC ;;
    riscv64) printf '%s\n' -fpic '-fno-pic -mcmodel=medany' ;;
    i386 | arm64 | ppc64el | s390x) printf '%s\n' -fpic -fno-pic ;;
  esac
}
# The machine's own files are looked for in $root first.
run_host() { timeout 120 sh examples/plugin/check.sh $qemu $1 -L "$root" "$out/host" "$out/sums.o"; }

# MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, once the code is executable and before it runs.
traced() { timeout 120 $qemu -strace -L "$root" "$out/host" "$out/sums.o" >"$out/calls" 2>&1; }
synchronised() {
  awk '/mprotect\(.*PROT_EXEC/ { executable = 1 } /membarrier\(32,/ && executable { good = 1 }
       /plugin_run/ && !good { exit 1 } END { exit !good }' "$out/calls"
}
build_host() {
  $cache ${gcc}g++-12 -std=c++20 -O1 -Iinclude -Wall -Wextra -Wconversion -Werror -Wno-psabi -rdynamic \
    -o "$out/host" examples/plugin/host.cpp -ldl
}
build_high() {
  $cache ${gcc}g++-12 -std=c++20 -O1 -Iinclude -Wall -Wextra -Wconversion -Werror -Wno-psabi -static \
    -o "$out/high" tests/parts/high_memory.cpp
}
high_memory() {
  check "high memory for $name" build_high
  check "$name uses memory above 2 GiB" timeout 120 $qemu "$out/high"
  [ $name = i386 ] || return 0
  "$out/high" 2>/dev/null
  case $? in
    126 | 127) skip "code above 2 GiB is patched" "this machine does not run programs for i386" ;;
    *) check "code above 2 GiB is patched" "$out/high" patch ;;
  esac
}
for name in $machines; do
  [ -n "$(hosted $name)" ] || continue
  machine $name
  root=/usr/${gcc%-} out=$scratch/$name
  mkdir -p "$out"
  need "plugins on $name" "${gcc}g++-12" && need "plugins on $name" "${qemu%% *}" || continue
  check "plugin host for $name" build_host
  [ -x "$out/host" ] || continue
  case $name in i386 | armhf) high_memory ;; esac
  hosted $name >"$out/flags"
  while read -r flags; do
    check "plugin for $name, $flags" ${gcc}gcc-12 -O2 $flags -c examples/plugin/sums.c -o "$out/sums.o"
    check "$name calls a plugin, $flags" run_host ''
    [ $name != arm64 ] || check "$name calls a plugin, $flags, pages of 64 KiB" run_host '-p 65536'
  done <"$out/flags"
  if [ $name = arm64 ]; then
    check 'arm64: system calls are shown' traced
    synchronise='arm64: cores that run other threads are synchronised'
    if grep -q 'membarrier(64,.* = 0' "$out/calls"; then check "$synchronise" synchronised
    else skip "$synchronise" 'the system has no MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE'; fi
  fi
  echo "$name: plugins compiled with $(paste -sd, "$out/flags")"
done
finish
