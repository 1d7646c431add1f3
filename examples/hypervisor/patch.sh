# SPDX-License-Identifier: MIT
# patch.sh HYPERVISOR SOURCE.c PATCH.o [FLAG...]: compiles a live patch for this very hypervisor.
set -e
hypervisor=$1 source=$2 patch=$3; shift 3
trap 'rm -f "$patch.note"' EXIT
objcopy -O binary --only-section=.note.gnu.build-id "$hypervisor" "$patch.note"
[ -s "$patch.note" ] || { echo "$hypervisor has no build id: link it with -Wl,--build-id" >&2; exit 1; }
${CC:-gcc} -O2 -fpic -Wall -Wextra -Werror "-DHYPERVISOR_NOTE=\"$patch.note\"" "$@" -c "$source" -o "$patch"
