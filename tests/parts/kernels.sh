# SPDX-License-Identifier: MIT
# The kernels of examples/kernels boot under QEMU, their script passes, and with Debian's modules at
# hand it has run them.
. "$(dirname "$0")/../support/part.sh"
KMODLD_ROOT_newest=${KMODLD_ROOT_newest:-${KMODLD_ROOT_6_1:-}}

boots() { # ARCH MODULE...: the console goes to $scratch/console
  sh examples/kernels/run.sh "$@" >"$scratch/console" 2>&1 || { tail -n 40 "$scratch/console"; return 1; }
}
boots_in_el2() (export KERNEL_VIRT_OPTIONS=,virtualization=on; boots "$@" && shown '^entered in EL2$')
shown() { tr -d '\r' <"$scratch/console" | grep -q "$1"; }
fast() { # the kernel alone, everything built
  start=$(date +%s)
  boots "$@" && [ $(($(date +%s) - start)) -lt 20 ]
}

modules_of() { # ARCH: prints where Debian's modules for it are
  case $1 in
    x86_64) package_root newest ;;
    aarch64) fetch_kernel arm64 2>/dev/null || fetch_kernel arm64_newest ;;
  esac
}

for arch in x86_64 aarch64; do
  need "kernel $arch" "qemu-system-$arch" || continue
  [ $arch = x86_64 ] || need "kernel $arch" "$arch-linux-gnu-g++-12" || continue
  set --
  if root=$(modules_of $arch); then
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
  if [ $arch = aarch64 ]; then
    check "kernel $arch: calls from far away" shown '^ok   0x[0-9a-f]* bytes from what it calls$'
    check "kernel $arch started in EL1" shown '^entered in EL1$'
    check "kernel $arch started in EL2" boots_in_el2 "$arch"
  fi
  check "kernel $arch needs less than 20 s" fast "$arch" "$@"
done
finish
