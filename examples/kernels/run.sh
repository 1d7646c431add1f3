#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds an example kernel, boots it under QEMU with modules in its initrd and shows its console:
#   run.sh x86_64|aarch64 [MODULE.ko ...]
# Exit status 0 only if the kernel's script passed. KMODLD_BUILD: the build tree (build/).
# KERNEL_VIRT_OPTIONS: of the virt board, after a comma: ',virtualization=on' starts in EL2.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=${KMODLD_BUILD:-$root/build}/kernels
packages_file=$root/tests/support/packages.sh
. "$packages_file"

usage() { echo "usage: run.sh x86_64|aarch64 [MODULE.ko ...]" >&2; exit 2; }
[ $# -ge 1 ] || usage
arch=$1
shift
out=$build/$arch

# What differs: tools, flags of the kernel and its modules (the head of kmodld/module.h), the machine.
case $arch in
  x86_64)
    packages="g++ $packages_run" tools= CXX=${CXX:-g++} CC=${CC:-gcc}
    machine_flags='-mcmodel=kernel -mno-red-zone -fcf-protection=none -mgeneral-regs-only'
    boot() {
      timeout 60 qemu-system-x86_64 -device isa-debug-exit,iobase=0xf4,iosize=4 -kernel "$out/kernel.elf" "$@"
    } ;;
  aarch64)
    packages=$packages_run_aarch64 tools=aarch64-linux-gnu-
    CXX=${CXX_AARCH64:-aarch64-linux-gnu-g++-12} CC=${CC_AARCH64:-aarch64-linux-gnu-gcc-12}
    machine_flags='-mno-outline-atomics -mgeneral-regs-only'
    KERNEL_VIRT_OPTIONS=${KERNEL_VIRT_OPTIONS:-}
    boot() { # QEMU boots by Linux's protocol what is no ELF
      aarch64-linux-gnu-objcopy -O binary "$out/kernel.elf" "$out/Image"
      timeout 60 qemu-system-aarch64 -M "virt,gic-version=2$KERNEL_VIRT_OPTIONS" -cpu cortex-a72 -semihosting \
        -kernel "$out/Image" "$@"
    } ;;
  *) usage ;;
esac
[ -n "${KMODLD_BUILT:-}" ] || install_packages $packages
mkdir -p "$out"

module_flags="-O2 -Wall -Wextra -Werror -ffreestanding -fno-pic -fno-stack-protector
  -fno-asynchronous-unwind-tables $machine_flags"
kernel_flags="$module_flags -std=c++20 -Wconversion -fno-exceptions -fno-rtti -fno-threadsafe-statics
  -fno-pie -fno-omit-frame-pointer -fno-tree-loop-distribute-patterns"

# Rebuilds everything when anything it is made of has changed.
if [ ! -f "$out/kernel.elf" ] ||
  [ -n "$(find "$here" "$root/include" -type f -newer "$out/kernel.elf" | head -n 1)" ]; then
  rm -f "$out"/*.o "$out/kernel.elf"
  # One shell a source file, two at a time.
  find "$here/common" "$here/$arch" -name '*.cpp' -o -name '*.S' | sort -r |
    xargs -P 2 -I '{}' sh -c '"$1" $2 -I"$3" -I"$4" -c "$5" -o "$6/$(basename "${5%/*}")-${5##*/}.o"' \
      compile "$CXX" "$kernel_flags" "$root/include" "$here/$arch" '{}' "$out"
  link() { # OUTPUT OBJECT...
    target=$1
    shift
    "$CXX" -nostdlib -static -no-pie -Wl,-T,"$here/$arch/link.ld" -Wl,--build-id=none \
      -Wl,-z,max-page-size=4096 -o "$target" "$@"
  }
  link "$out/first.elf" "$out"/*.o
  NM=${tools}nm sh "$here/ksyms.sh" "$out/first.elf" >"$out/ksyms.S"
  "$CXX" -c "$out/ksyms.S" -o "$out/ksyms.o"
  link "$out/linked.elf" "$out"/*.o
  mv "$out/linked.elf" "$out/kernel.elf"
fi

# The modules of this folder, and one that is damaged: its second half is missing.
for source in "$here"/modules/*.c; do
  object=$(basename "$source" .c).ko
  [ "$out/$object" -nt "$out/kernel.elf" ] ||
    "$CC" -std=c11 $module_flags -I "$root/include" -c "$source" -o "$out/$object"
done
head -c $(($(wc -c <"$out/greeter.ko") / 2)) "$out/greeter.ko" >"$out/damaged.ko"
set -- "$out/greeter.ko" "$out/caller.ko" "$out/refuser.ko" "$out/damaged.ko" "$@"

sh "$here/mkcpio.sh" "$@" >"$out/initrd.cpio"

status=0
boot -accel tcg -m 128 -nodefaults -no-reboot -display none -serial stdio \
  -initrd "$out/initrd.cpio" </dev/null || status=$?

# What modules cost this kernel. Lines are those of the glue without comments and empty ones; text is
# that of the library's functions, without what the compiler put into their callers.
lines=$(cat "$here/common/modules_glue.hpp" "$here/$arch/modules_machine.hpp" |
  grep -cvE '^[[:space:]]*(//.*)?$')
text=$("${tools}nm" -S -t d "$out/kernel.elf" | awk '$3 ~ /^[tTwW]$/ && $4 ~ /^_ZNK?6kmodld/ { n += $2 } END { print n + 0 }')
echo "run.sh: modules cost this kernel $lines lines and $text bytes of kmodld's text"

case $status in
  33) exit 0 ;;
  35) echo "run.sh: the script failed" >&2 ;;
  124) echo "run.sh: the kernel did not finish in time" >&2 ;;
  *) echo "run.sh: QEMU ended with status $status" >&2 ;;
esac
exit 1
