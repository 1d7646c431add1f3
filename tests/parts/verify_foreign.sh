# SPDX-License-Identifier: MIT
# verify for the other architectures: the ground truth of real kernels and real linkers. Modules come
# from Debian, those of suites that move on from a folder beside the project, where there is one.
. "$(dirname "$0")/../support/part.sh"
beside=${KMODLD_MODULES:-../shared/ground-truth/modules}

compare() { # FILE ROOT
  "$build/tests/verify" "tests/data/$1.jsonl.xz" "$2" >"$scratch/verify" 2>&1
  grep -v ' passed, ' "$scratch/verify" | head -n 20
  set -- $(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$scratch/verify")
  [ $# -eq 3 ] || { failed=$((failed + 1)); return; }
  passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}
from_debian() { # ARCH PACKAGE FILE...
  arch=$1 package=$2; shift 2
  if root=$(sh tests/support/fetch.sh --arch "$arch" "$package" 2>"$scratch/why"); then
    for file; do compare "$file" "$root"; done
  else
    for file; do skip "$file" "$(tail -n 1 "$scratch/why")"; done
  fi
}
from_beside() { # FOLDER FILE...
  folder=$beside/$1; shift
  for file; do
    if [ -d "$folder" ]; then compare "$file" "$folder"; else skip "$file" "its modules are not here"; fi
  done
}

from_debian arm64 linux-image-6.1.0-56-arm64=6.1.192-2 linux-6.1.0-56-arm64
from_debian arm64 linux-image-6.1.0-50-arm64=6.1.176-1 linked-arm64
from_debian armhf linux-image-6.1.0-50-armmp=6.1.176-1 linux-6.1.0-50-armhf linked-armhf
from_debian i386 linux-image-6.1.0-50-686-pae=6.1.176-1 linux-6.1.0-50-i386 linked-i386
from_debian ppc64el linux-image-6.1.0-50-powerpc64le=6.1.176-1 linux-6.1.0-50-ppc64el linked-ppc64el
from_debian s390x linux-image-6.1.0-50-s390x=6.1.176-1 linux-6.1.0-50-s390x linked-s390x
from_debian mips64el linux-image-6.1.0-50-mips64r2el=6.1.176-1 linked-mips64el
from_beside riscv64 linux-7.2.12-riscv64 linked-riscv64
from_beside loong64 linked-loong64
finish
