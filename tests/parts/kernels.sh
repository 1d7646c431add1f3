# SPDX-License-Identifier: MIT
# The kernels of examples/kernels boot under QEMU and their script passes.
. "$(dirname "$0")/../support/part.sh"

for arch in x86_64; do
  if [ ! -f examples/kernels/run.sh ]; then skip "kernel $arch" 'not written yet'; continue; fi
  need "kernel $arch" "qemu-system-$arch" || continue
  root=$(package_root newest) || { root=; skip "Debian's modules in kernel $arch" 'no kernel package'; }
  set --
  for name in lib/crc-itu-t lib/lz4/lz4_compress; do
    file=$(echo "$root"/lib/modules/*/kernel/$name.ko)
    [ ! -f "$file" ] || set -- "$@" "$file"
  done
  check "kernel $arch" sh examples/kernels/run.sh "$arch" "$@"
done
finish
