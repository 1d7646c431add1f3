# SPDX-License-Identifier: MIT
# Every rule of every architecture against its linkers: GNU ld, and lld where the architecture has
# that, too. Values at, inside and past each limit are linked and relocated at the same addresses.
. "$(dirname "$0")/../support/part.sh"

compare() { # ARCHITECTURE LINKER OPTION...
  need "$1 $2" "$2" || return
  check "$*" "$build/tests/linkers" "$@"
}

compare x86_64 x86_64-linux-gnu-ld
compare x86_64 ld.lld-19 -m elf_x86_64
compare i386 i686-linux-gnu-ld
compare i386 ld.lld-19 -m elf_i386
compare aarch64 aarch64-linux-gnu-ld
compare aarch64 ld.lld-19 -m aarch64linux
finish
