# SPDX-License-Identifier: MIT
# patch.sh HYPERVISOR SOURCE.c PATCH.o [FLAG...]: compiles a live patch for this very hypervisor.
set -e
hypervisor=$1 source=$2 patch=$3; shift 3
objcopy -O binary --only-section=.note.gnu.build-id "$hypervisor" "$patch.note"
${CC:-gcc} -O2 -fpic -Wall -Wextra -Werror "-DHYPERVISOR_NOTE=\"$patch.note\"" "$@" -c "$source" -o "$patch"
