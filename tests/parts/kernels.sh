# SPDX-License-Identifier: MIT
# The kernels of examples/kernels boot under QEMU, their script passes, and with Debian's modules at
# hand it has run them.
. "$(dirname "$0")/../support/part.sh"
KMODLD_ROOT_newest=${KMODLD_ROOT_newest:-${KMODLD_ROOT_6_1:-}}

boots() { # ARCH MODULE...: the console goes to $scratch/console
  sh examples/kernels/run.sh "$@" >"$scratch/console" 2>&1 || { tail -n 40 "$scratch/console"; return 1; }
}
shown() { tr -d '\r' <"$scratch/console" | grep -q "$1"; }
fast() { # the kernel alone, everything built
  start=$(date +%s)
  boots "$@" && [ $(($(date +%s) - start)) -lt 20 ]
}

for arch in x86_64; do
  need "kernel $arch" "qemu-system-$arch" || continue
  set --
  if root=$(package_root newest); then
    for name in lib/crc-itu-t lib/lz4/lz4_compress; do
      set -- "$@" "$(echo "$root"/lib/modules/*/kernel/$name.ko)"
    done
  else
    skip "Debian's modules in kernel $arch" 'no kernel package'
  fi
  check "kernel $arch" boots "$arch" "$@"
  check "kernel $arch: a trap names symbol and module" shown '^  in peek+0x[0-9a-f]*/0x[0-9a-f]* \[greeter\]$'
  if [ $# -ne 0 ]; then
    check "kernel $arch runs crc-itu-t" shown '^ok   crc_itu_t(ffff, "123456789") = 29b1$'
    check "kernel $arch runs lz4_compress" shown '^ok   LZ4_compress_default: 8192 bytes to [0-9]* and back$'
  fi
  check "kernel $arch needs less than 20 s" fast "$arch" "$@"
done
finish
