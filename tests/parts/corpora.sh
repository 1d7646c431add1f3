# SPDX-License-Identifier: MIT
# Whole kernels: every module of a Debian kernel package links, on each architecture, against made-up
# exports in range. One check a set: nothing is refused, modules and relocations are as many as there
# are, and the bytes are the same in memory that was zero and in memory that was not. Packages of
# Debian 12 are linked whole. Those of sid are compressed, which takes most of the time, so of them
# every eighth module by path is linked, and with KMODLD_LONG all.
. "$(dirname "$0")/../support/part.sh"
set -f # patterns are for apt
part=8
[ -z "${KMODLD_LONG:-}" ] || part=1

# get NAME WAY...: tries one way after the other to have the set's package, each 'SUITE ARCH PACKAGE';
# leaves the directory in $scratch/NAME.root, or the reasons in $scratch/NAME.why.
get() {
  name=$1; shift
  for way; do
    set -- $way
    sh tests/support/fetch.sh --suite "$1" --arch "$2" "$3" >"$scratch/$name.root" 2>>"$scratch/$name.why" && return
  done
  rm -f "$scratch/$name.root"
}
bookworm() { # ARCH FLAVOUR VERSION: the one that verify takes, or the newest
  get "bookworm-$1" "bookworm $1 linux-image-$3" "bookworm $1 linux-image-6.1.0-[0-9][0-9]-$2"
}
moving() { # ARCH: modules have a package of their own since 7.1
  get "sid-$1" "sid $1 linux-modules-[0-9]*+deb[0-9][0-9]-$1" "testing $1 linux-modules-[0-9]*+deb[0-9][0-9]-$1" \
    "sid $1 linux-image-[0-9]*+deb[0-9][0-9]-$1" "trixie $1 linux-image-[0-9]*+deb13-$1"
}

whole_set() { # ROOT EVERY
  "$build/tests/corpora" "$1" --every "$2" >"$scratch/said"
  status=$?
  total=$(find "$1" -type f '(' -name '*.ko' -o -name '*.ko.xz' ')' | wc -l)
  cat "$scratch/said"
  [ $status -eq 0 ] || return 1
  set -- "$2" $(tail -n 1 "$scratch/said" | tr -cs '0-9A-Za-z_.+\n-' ' ')
  # EVERY ARCH RELEASE N of M modules R refused X relocations Y in the files ...
  [ "$6" -eq "$total" ] || { echo "there are $total modules"; return 1; }
  [ "$4" -eq $((total / $1)) ] && [ "$4" -gt 0 ] || { echo "$4 modules are not every ${1}th of $total"; return 1; }
  [ "${10}" -gt 0 ] && [ "${10}" -eq "${12}" ] || { echo "${10} relocations applied of ${12}"; return 1; }
}
link() { # NAME EVERY
  if [ ! -f "$scratch/$1.root" ]; then
    skip "$1" "$(tail -n 1 "$scratch/$1.why")"
    return
  fi
  before=$failed
  check "$1" whole_set "$(cat "$scratch/$1.root")" "$2"
  [ "$failed" -ne "$before" ] || tail -n 1 "$scratch/check.log"
}

check 'the program was built' test -x "$build/tests/corpora"
if package_root newest >"$scratch/bookworm-amd64.root" 2>"$scratch/bookworm-amd64.why"; then :
else rm "$scratch/bookworm-amd64.root"; fi
{
  bookworm arm64 arm64 6.1.0-56-arm64=6.1.192-2
  bookworm armhf armmp 6.1.0-50-armmp=6.1.176-1
  bookworm i386 686-pae 6.1.0-50-686-pae=6.1.176-1
  bookworm ppc64el powerpc64le 6.1.0-50-powerpc64le=6.1.176-1
  bookworm s390x s390x 6.1.0-50-s390x=6.1.176-1
  bookworm mips64el mips64r2el 6.1.0-50-mips64r2el=6.1.176-1
} &
{ moving amd64; moving riscv64; moving loong64; } &
wait

for arch in amd64 arm64 armhf i386 ppc64el s390x mips64el; do link "bookworm-$arch" 1; done
[ $part -eq 1 ] || echo "of sid every ${part}th module by path; all with KMODLD_LONG"
for arch in amd64 riscv64 loong64; do link "sid-$arch" $part; done
finish
