#!/bin/sh
# SPDX-License-Identifier: MIT
# The kernel's table of functions, as assembler for the second link: ksyms.sh KERNEL >TABLE.S
# Names lose their template arguments and parameter lists; text lies before the table, so the
# addresses stay valid.
set -eu
"${NM:-nm}" -nC --no-recurse-limit "$1" | awk '
  $2 ~ /^[tTwW]$/ {
    name = $0
    sub(/^[^ ]+ . /, "", name)
    gsub(/\(anonymous namespace\)::/, "", name)
    while (sub(/<[^<>]*>/, "", name)) { }
    sub(/\(.*/, "", name)
    sub(/^.* /, "", name)
    name = substr(name, 1, 80)
    if ($1 == last || name == "text_end") next
    last = $1
    table = table sprintf("  .quad 0x%s, 1f+%d\n", $1, offset)
    strings = strings sprintf("  .asciz \"%s\"\n", name)
    offset += length(name) + 1
    ++count
  }
  END {
    print "  .section .kernel_symbols, \"a\"\n  .balign 8"
    print "  .globl kernel_symbol_table, kernel_symbol_count"
    print "kernel_symbol_count:\n  .quad " count "\nkernel_symbol_table:"
    printf "%s1:\n%s", table, strings
    print "  .section .note.GNU-stack, \"\", @progbits"
  }'
