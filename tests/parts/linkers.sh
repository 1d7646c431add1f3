# SPDX-License-Identifier: MIT
# Every rule of every architecture against its linkers: GNU ld, and lld where the architecture has
# that, too. Values at, inside and past each limit are linked and relocated at the same addresses.
# Big-endian objects are linked on whatever host this is.
. "$(dirname "$0")/../support/part.sh"

compare() { # ARCHITECTURE LINKER OPTION...
  need "$1 $2" "$2" || return
  check "$*" "$build/tests/linkers" "$@"
}

compare x86_64 x86_64-linux-gnu-ld
compare i386 i686-linux-gnu-ld
compare aarch64 aarch64-linux-gnu-ld
compare arm arm-linux-gnueabihf-ld --fix-v4bx
compare riscv64 riscv64-linux-gnu-ld
compare riscv32 riscv64-linux-gnu-ld -m elf32lriscv
compare powerpc64le powerpc64le-linux-gnu-ld
compare powerpc64 powerpc64-linux-gnu-ld
compare s390x s390x-linux-gnu-ld
compare mips64el mips64el-linux-gnuabi64-ld
compare mips64 mips64-linux-gnuabi64-ld
compare mipsel mipsel-linux-gnu-ld
compare mips mips-linux-gnu-ld
compare m68k m68k-linux-gnu-ld
for arch in x86_64 i386 aarch64 arm riscv64 riscv32 loongarch64 powerpc64le powerpc64 s390x \
  mips64el mips64 mipsel mips; do
  compare $arch ld.lld-19
done
finish
