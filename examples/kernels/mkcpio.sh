#!/bin/sh
# SPDX-License-Identifier: MIT
# Packs files, without their folders, into a cpio archive in newc format: mkcpio.sh FILE... >ARCHIVE
set -eu

pad() { # to a multiple of four
  case $(($1 % 4)) in
    1) printf '\0\0\0' ;;
    2) printf '\0\0' ;;
    3) printf '\0' ;;
  esac
}

entry() { # INODE SIZE NAME
  printf '070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\0' \
    "$1" 33188 0 0 1 0 "$2" 0 0 0 0 $((${#3} + 1)) 0 "$3"
  pad $((110 + ${#3} + 1))
}

inode=0
for file; do
  inode=$((inode + 1))
  size=$(($(wc -c <"$file")))
  entry $inode $size "${file##*/}"
  cat "$file"
  pad $size
done
entry 0 0 'TRAILER!!!'
