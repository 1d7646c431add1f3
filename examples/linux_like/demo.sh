# SPDX-License-Identifier: MIT
# demo.sh BUILD_DIR [PACKAGE_ROOT]: a tour of linux_like, which BUILD_DIR has. With an unpacked
# Debian kernel package real modules are loaded, called, compared and unloaded; without one the
# sample modules of examples/modules are. Last line: 'N modules executed, all results right'.
set -eu
build=$(cd "$1" && pwd); root=${2:-}
cd "$(dirname "$0")/../.."
program=$build/examples/linux_like/linux_like
scratch=$(mktemp -d); trap 'rm -rf "$scratch"' EXIT
options=

# tour COMMANDS: runs them and shows what they answer.
tour() {
  printf '\n$ linux_like -c %s\n' "'$1'"
  "$program" $options ${vermagic:+--vermagic "$vermagic"} -c "$1"
}
# refused ENAME COMMANDS: they must be refused with this error.
refused() {
  expected=$1; shift
  printf '\n$ linux_like -c %s\n' "'$1'"
  if "$program" $options ${vermagic:+--vermagic "$vermagic"} -c "$1" 2>"$scratch/error"; then
    echo "was not refused"; exit 1
  fi
  cat "$scratch/error"
  grep -q "^$expected: " "$scratch/error" || { echo "should have been $expected"; exit 1; }
}

if [ -n "$root" ]; then
  release=$(ls "$root/lib/modules" | head -n 1)
  options="--root $root"
  # The headers package knows what that kernel exports, and with which CRCs.
  for symvers in "$root"/usr/src/linux-headers-"$release"/Module.symvers; do
    [ ! -f "$symvers" ] || options="$options --kernel-exports $symvers"
  done
  vermagic="$release SMP preempt mod_unload modversions "
  library=$root/lib/modules/$release/kernel/lib
  crc=$(ls "$library"/crc-itu-t.ko* | head -n 1)
  first=crc_itu_t
  echo "Modules of Linux $release, as Debian ships them."
  tour "modinfo $crc"
  tour "insmod $crc
call u16 crc_itu_t 0 \"123456789\" 9 = 0x31c3
lsmod; cat /proc/modules; ls /sys/module/$first; map $first; trace; rmmod $first; lsmod; dmesg"
  for kernel in "$root"/boot/vmlinuz-*; do
    [ ! -f "$kernel" ] || (options="$options --sig-enforce --keys $kernel"
      tour "insmod $crc; cat /proc/modules; dmesg")
  done
  speedstep=$(ls "$library"/../drivers/cpufreq/speedstep-lib.ko* 2>/dev/null | head -n 1)
  [ -z "$speedstep" ] || tour "insmod $speedstep
write /proc/dynamic_debug/control \"func pentium3_get_frequency +p\"
call int speedstep_get_frequency 2; dmesg"
  refused ENOENT "insmod $(ls "$library"/../fs/ext4/ext4.ko* | head -n 1)"
  tour "check $crc"
  printf 'not a module, but long enough to be looked at: %060d\n' 0 >"$scratch/damaged.ko"
  refused ENOEXEC "insmod $scratch/damaged.ko"
  tour 'selftest --all; lsmod; unload-all' >"$scratch/all" || { cat "$scratch/all"; exit 1; }
  cat "$scratch/all"
  count=$(sed -n 's/^\([0-9]*\) modules right, 0 wrong.*/\1/p' "$scratch/all")
  [ "${count:-0}" -ge 14 ] || { echo "only ${count:-0} modules could be executed"; exit 1; }
else
  vermagic=
  echo "No kernel package: the sample modules of examples/modules, compiled here."
  sh examples/modules/build.sh "$scratch/modules" >"$scratch/compile" 2>&1 ||
    { cat "$scratch/compile"; exit 1; }
  options="--root $scratch/modules"
  tour "modinfo hello"
  tour 'modprobe hello whom="demo of modules" numbers=1,2,3; call hello_value 13 = 3
cat /sys/module/hello/parameters/whom; write /sys/module/hello/parameters/int 77
call hello_value 3 = 77; ls /sys/module/hello; map hello; trace; rmmod hello; dmesg'
  tour 'modprobe importer; lsmod; cat /proc/modules; ls /sys/module/exporter/holders'
  refused EAGAIN 'modprobe importer; rmmod exporter'
  refused ENODEV 'modprobe fails'
  refused EBUSY 'modprobe permanent; rmmod permanent'
  refused ENOENT 'modprobe exporter; modprobe refused_gpl'
  refused EINVAL 'modprobe exporter; modprobe refused_ns'
  refused EFAULT 'modprobe ro_after_init; call ro_after_init_poke 1'
  while read -r module rest; do
    case $module in '' | '#'*) continue ;; esac
    echo "modprobe $module; call $rest"
    echo "$module" >>"$scratch/modules/list"
  done <examples/modules/calls.txt >"$scratch/calls"
  printf '\n$ linux_like # every line of examples/modules/calls.txt\n'
  { cat "$scratch/calls"; echo 'lsmod; unload-all'; } >"$scratch/script"
  "$program" $options "$scratch/script"
  count=$(sort -u "$scratch/modules/list" | wc -l)
fi
printf '\n%d modules executed, all results right\n' "$count"
