# SPDX-License-Identifier: MIT
# The tables by which code is patched, on Debian's modules: what the views read is what the relocations
# say (build/tests/patch_tables), and as many entries as readelf's sizes have. A spread sample, about
# ten seconds; KMODLD_LONG: every module. And the example of docs/patching.md.
. "$(dirname "$0")/../support/part.sh"

every=${KMODLD_LONG:+1}; every=${every:-100}

# Sizes of entries by the kernel's structures, where they are not the pointer's.
entry_size() { # entry_size ARCH SECTION
  case $2 in
    .altinstructions) [ "$1" = s390x ] && echo 11 || echo 12 ;;
    __jump_table) case $1 in i386 | armhf) echo 12 ;; mips64el) echo 24 ;; *) echo 16 ;; esac ;;
    .parainstructions) [ "$1" = i386 ] && echo 8 || echo 16 ;;
    __bug_table) echo 12 ;;
    __ftr_fixup | __mmu_ftr_fixup | __fw_ftr_fixup) echo 48 ;;
    .static_call_sites | .ARM.exidx* | .alt.smp.init | __lwsync_fixup | __barrier_nospec_fixup) echo 8 ;;
    .orc_unwind) echo 6 ;;
    __mcount_loc | __patchable_function_entries) case $1 in i386 | armhf) echo 4 ;; *) echo 8 ;; esac ;;
    *) echo 4 ;;
  esac
}
# section_sizes: sums of readelf's sizes by name, decimal.
section_sizes() {
  awk 'function hex(s,  n, i) {
         n = 0
         for (i = 1; i <= length(s); i++) n = n * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
         return n }
       sub(/^ *\[ *[0-9]+\] /, "") && $2 !~ /^(NULL|REL|RELA)$/ { sum[$1] += hex($5) }
       END { for (name in sum) print name, sum[name] }'
}
same_numbers() { # same_numbers ARCH: of $scratch/said and $scratch/sizes
  while read -r what name entries fields; do
    [ "$what" = section ] || continue
    size=$(awk -v name="$name" '$1 == name { print $2 }' "$scratch/sizes")
    wanted=$((${size:-0} / $(entry_size "$1" "$name")))
    [ "$entries" -eq $wanted ] || { echo "$name: $entries entries, readelf has $wanted"; return 1; }
  done <"$scratch/said"
}
inspect() { xargs "$build/tests/patch_tables" <"$scratch/modules" >"$scratch/said"; }

on() { # on ARCH PACKAGE SECTION...: sections that the sample must have
  arch=$1 package=$2; shift 2
  root=$(sh tests/support/fetch.sh --arch "$arch" $package 2>"$scratch/why") ||
    { skip "modules of $arch" "$(tail -n 1 "$scratch/why")"; return; }
  find "$root" -name '*.ko' | sort |
    awk -v every="$every" 'NR % every == 1 % every || /\/(kvm|xfs|kvm-hv|raid456)\.ko$/' >"$scratch/modules"
  check "modules of $arch" test "$(wc -l <"$scratch/modules")" -gt 10
  check "$arch: fields are what relocations say" inspect || return
  xargs readelf -SW <"$scratch/modules" | section_sizes >"$scratch/sizes"
  check "$arch: as many entries as readelf has" same_numbers "$arch"
  for section; do
    check "$arch: the sample has $section" grep -q "^section $section [1-9]" "$scratch/said"
  done
  awk -v arch="$arch" '/^section/ { entries += $3; fields += $4 } /^modules/ { modules = $2 }
    END { print arch ": " modules " modules, " entries " entries, " fields " fields" }' "$scratch/said"
}

on amd64 'linux-image-6.1.0-56-amd64=6.1.192-2 linux-headers-6.1.0-56-amd64=6.1.192-2' .altinstructions .orc_unwind \
  .orc_unwind_ip .parainstructions .retpoline_sites .return_sites .smp_locks .static_call_sites __bug_table __jump_table __mcount_loc
on arm64 linux-image-6.1.0-56-arm64=6.1.192-2 .altinstructions __bug_table __jump_table __patchable_function_entries
on ppc64el linux-image-6.1.0-50-powerpc64le=6.1.176-1 __barrier_nospec_fixup __bug_table __ftr_fixup __jump_table \
  __lwsync_fixup __mcount_loc
on armhf linux-image-6.1.0-50-armmp=6.1.176-1 .ARM.exidx .ARM.exidx.init.text .alt.smp.init __bug_table __jump_table __mcount_loc
on s390x linux-image-6.1.0-50-s390x=6.1.176-1 .altinstructions __bug_table __jump_table __mcount_loc
on i386 linux-image-6.1.0-50-686-pae=6.1.176-1 .altinstructions .smp_locks __bug_table __jump_table __mcount_loc
on mips64el linux-image-6.1.0-50-mips64r2el=6.1.176-1 __jump_table __mcount_loc

# The example of docs/patching.md.
awk '/^```cpp$/ { inside = 1; next } /^```/ && inside { exit } inside' docs/patching.md >"$scratch/patching.hpp"
check 'docs/patching.md has an example' test -s "$scratch/patching.hpp"
check 'the example has 30 lines at most' test "$(grep -c . "$scratch/patching.hpp")" -le 30
for compiler in g++ clang++-14; do
  need "the example by $compiler" "$compiler" || continue
  check "the example by $compiler" "$compiler" -std=c++20 -Iinclude -Wall -Wextra -Wconversion -Werror \
    -DPATCHING="\"$scratch/patching.hpp\"" tests/parts/patching.cpp -o "$scratch/patching"
  check "the example by $compiler patches" "$scratch/patching"
done
finish
