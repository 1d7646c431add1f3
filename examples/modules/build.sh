#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the sample modules, one compiler call each: build.sh OUTDIR [NAME...]
# CC (default gcc) compiles C and C++ alike. KMODLD_CFLAGS is added to each call, split at spaces:
# -DKMODLD_MODVERSIONS, or -include FILE where FILE defines KMODLD_VERMAGIC (it may hold spaces).
set -eu
[ $# -ge 1 ] || { echo "usage: build.sh OUTDIR [NAME...]" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift
cd "$(dirname "$0")"
cc=${CC:-gcc}

flags="-O2 -c -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables -Wall -Wextra"
flags="$flags -I ../../include"
place="-fno-pic"
case $($cc -dumpmachine) in
  x86_64-*)
    flags="$flags -mno-red-zone -fcf-protection=none -mgeneral-regs-only"
    place="-fno-pic -mcmodel=kernel" ;;
  aarch64-*) flags="$flags -mno-outline-atomics -mgeneral-regs-only" ;;
esac

[ $# -gt 0 ] || set -- checksums checksums_user ctors cxx_sample exporter fails hello importer \
  notes permanent pic_sample proprietary refused_gpl refused_ns ro_after_init sorting
for name in "$@"; do
  case $name in
    pic_sample) set -x; $cc $flags -fpic ${KMODLD_CFLAGS-} $name.c -o "$out/$name.ko" ;;
    cxx_*) set -x; $cc $flags $place -std=c++20 -fno-exceptions -fno-rtti -fno-threadsafe-statics \
      ${KMODLD_CFLAGS-} $name.cpp -o "$out/$name.ko" ;;
    *) set -x; $cc $flags $place -std=gnu11 ${KMODLD_CFLAGS-} $name.c -o "$out/$name.ko" ;;
  esac
  { set +x; } 2>/dev/null
done
