# SPDX-License-Identifier: MIT
# The program of examples/linux_like: its commands, what it refuses and how, parameters, sysfs,
# dependencies, the demonstration with and without Debian's modules, and all of them linked.
. "$(dirname "$0")/../support/part.sh"

program=$build/examples/linux_like/linux_like
if [ ! -x "$program" ]; then skip 'linux_like' 'was not built'; finish; fi
case $program in /*) ;; *) program=$PWD/$program ;; esac
demo=$PWD/examples/linux_like/demo.sh
modules=$scratch/modules
check 'sample modules compile' sh examples/modules/build.sh "$modules"
KMODLD_CFLAGS=-DKMODLD_MODVERSIONS sh examples/modules/build.sh "$modules/versioned" exporter \
  importer >/dev/null 2>&1
KMODLD_CFLAGS=-DWRONG_CRC sh examples/modules/build.sh "$modules/wrong" checksums_user \
  >/dev/null 2>&1

# prints NAME EXPECTED COMMANDS [OPTION...]: stdout is exactly EXPECTED, status 0. What differs from
# run to run (addresses, times) is taken out by the sed script $varying first.
varying=
prints() { name=$1 expected=$2 commands=$3; shift 3; check "$name" same "$expected" "$commands" "$@"; }
same() {
  wanted=$1 commands=$2; shift 2
  (cd "$modules" && "$program" "$@" -c "$commands") >"$scratch/raw" 2>"$scratch/err"; status=$?
  sed "$varying" "$scratch/raw" >"$scratch/out"
  printf '%s' "${wanted:+$wanted
}" >"$scratch/wanted"
  if [ $status -ne 0 ]; then cat "$scratch/err"; fi
  diff "$scratch/wanted" "$scratch/out" && [ $status -eq 0 ]
}
# shows NAME PATTERN COMMANDS [OPTION...]: a line of stdout matches, status 0.
shows() { name=$1 pattern=$2 commands=$3; shift 3; check "$name" matching 0 "$pattern" "$commands" "$@"; }
# finds: the same for a command that is refused in the end.
finds() { name=$1 pattern=$2 commands=$3; shift 3; check "$name" matching 1 "$pattern" "$commands" "$@"; }
matching() {
  wanted_status=$1 pattern=$2 commands=$3; shift 3
  (cd "$modules" && "$program" "$@" -c "$commands") >"$scratch/out" 2>&1; status=$?
  grep -q -e "$pattern" "$scratch/out" && [ $status -eq "$wanted_status" ] && return
  cat "$scratch/out"
  false
}
# refuses NAME MESSAGE COMMANDS [OPTION...]: the last line of stderr is exactly MESSAGE, status 1,
# and nothing behind the refused command is run.
refuses() { name=$1 message=$2 commands=$3; shift 3; check "$name" refused "$message" "$commands" "$@"; }
refused() {
  message=$1 commands=$2; shift 2
  (cd "$modules" && "$program" "$@" -c "$commands; cat /never") >"$scratch/out" 2>"$scratch/err"
  status=$?
  cat "$scratch/err"
  [ $status -eq 1 ] && [ "$(cat "$scratch/err")" = "$message" ]
}

# compile NAME LANGUAGE: a module from stdin.
compile() {
  gcc -DKMODLD_MODNAME="$1" -I "$PWD/include" -O2 -ffreestanding -fno-pic -mcmodel=kernel \
    -fno-asynchronous-unwind-tables -fcf-protection=none -c -x "$2" -o "$modules/$1.ko" -
}

# What is no module.
: >"$modules/empty.ko"
printf 'x' >"$modules/short.ko"
printf '%0100d' 0 >"$modules/text.ko"
head -c 3000 "$modules/hello.ko" >"$modules/cut.ko"
refuses 'no ELF magic' 'ENOEXEC: Invalid ELF header magic: != \x7fELF' 'insmod text.ko'
refuses 'a short file' 'ENOEXEC: Invalid ELF header len 1' 'insmod short.ko'
refuses 'an empty file' 'EINVAL: empty.ko: Invalid argument' 'insmod empty.ko'
refuses 'no file' 'ENOENT: none.ko: No such file or directory' 'insmod none.ko'
refuses 'a directory' 'EACCES: .: Permission denied' 'insmod .'
refuses 'a cut file' 'ENOEXEC: Invalid ELF section header overflow' 'insmod cut.ko'
refuses 'no such command' 'ENOSYS: frob: no such command; `help` lists them' 'frob'
refuses 'usage' 'EINVAL: usage: rmmod [-f] NAME' 'rmmod'
refuses 'an open quote' 'EINVAL: the quote " is not closed' 'call x "y'
check 'options of the command line' sh -c "! '$program' --no-such-option 2>/dev/null"

# What the loader refuses.
refuses 'loaded twice' 'EEXIST: hello: a module of this name is loaded' 'insmod hello.ko; insmod hello.ko'
refuses 'init fails' 'ENODEV: fails: init returned -19' 'insmod fails.ko'
refuses 'version magic' "ENOEXEC: hello: version magic 'kmodld ' should be '6.1.0 SMP '" 'insmod hello.ko' \
  --vermagic '6.1.0 SMP '
shows 'version magic forced' '^hello .* (.*F' 'insmod --force-vermagic hello.ko; cat /proc/modules' \
  --vermagic '6.1.0 SMP '
refuses 'unknown symbol' 'ENOENT: importer: Unknown symbol exporter_calls (err -2)' 'insmod importer.ko'
refuses 'GPL-only symbol' 'ENOENT: refused_gpl: Unknown symbol exporter_mul (err -2)' \
  'insmod exporter.ko; insmod refused_gpl.ko'
refuses 'namespace' \
  'EINVAL: refused_ns: module uses symbol (exporter_secret) from namespace KMODLD_SAMPLE, but does not import it.' \
  'insmod exporter.ko; insmod refused_ns.ko'
refuses 'wrong CRC' 'EINVAL: checksums_user: disagrees about version of symbol checksums_crc32c' \
  'insmod checksums.ko; insmod wrong/checksums_user.ko'
shows 'wrong CRC forced' '^checksums_user .* (.*F' \
  'insmod checksums.ko; insmod --force-modversion wrong/checksums_user.ko; cat /proc/modules'
refuses 'in use' 'EAGAIN: exporter: module is in use' 'insmod exporter.ko; insmod importer.ko; rmmod exporter'
refuses 'in use, by force too' 'EAGAIN: exporter: module is in use' \
  'insmod exporter.ko; insmod importer.ko; rmmod -f exporter'
refuses 'unload without exit' 'EBUSY: permanent: module has init but no exit function' \
  'insmod permanent.ko; rmmod permanent'
prints 'unload without exit, forced' '' 'insmod permanent.ko; rmmod -f permanent; cat /proc/modules'
refuses 'unload what is not there' 'ENOENT: hello: no module of this name' 'rmmod hello'

# Lists.
shows '/proc/modules' '^hello 16384 0 - Live 0x[0-9a-f]\{16\} (FOE)$' 'insmod hello.ko; cat /proc/modules'
shows 'users in /proc/modules' '^exporter 16384 1 importer, Live ' \
  'insmod versioned/exporter.ko; insmod versioned/importer.ko; cat /proc/modules'
shows 'permanent in /proc/modules' '^permanent [0-9]* 0 \[permanent\], Live ' 'insmod permanent.ko; cat /proc/modules'
shows 'lsmod' '^exporter  *16384  *1  live  *0x[0-9a-f]*  *FOE  *importer$' \
  'insmod exporter.ko; insmod importer.ko; lsmod'
shows '/proc/kallsyms' '^[0-9a-f]\{16\} T hello_value	\[hello\]$' 'insmod hello.ko; cat /proc/kallsyms'
shows '/proc/kallsyms, local' '^[0-9a-f]\{16\} t text_sum	\[hello\]$\|^[0-9a-f]\{16\} t hello_exit	\[hello\]$' \
  'insmod hello.ko; cat /proc/kallsyms'
shows 'kernel in /proc/kallsyms' '^[0-9a-f]\{16\} T _printk$' 'cat /proc/kallsyms'
shows 'modinfo' '^parm:  *whom:whom to greet (charp)$' 'modinfo hello.ko'
shows 'modinfo, softdep' '^softdep:  *post: hello$' 'modinfo importer.ko'
shows 'dmesg' 'hello: hello, world (int=-4, label=none)$' 'insmod hello.ko; dmesg'
shows 'map: text' ' r-x .*text$' 'insmod hello.ko; map hello'
shows 'map: a section' '  0x[0-9a-f]* .* \.text$' 'insmod hello.ko; map hello'
check 'map: nothing writable and executable' sh -c \
  "'$program' -c 'insmod $modules/hello.ko; map hello' >'$scratch/map' && ! grep -q wx '$scratch/map'"
compile names c <<'END'
#include <kmodld/module.h>
MODULE_LICENSE("GPL");
__attribute__((section(".modinfo"), used)) static const char tag[] = "t\33g=x\33\ty";
__attribute__((section("s\33[31m"), used)) static const int number = 1;
END
shows 'map: names for a terminal, loaded' ' s?\[31m$' 'insmod names.ko; map names'
shows 'map: names for a terminal, of a file' ' s?\[31m$' 'map names.ko'
shows 'modinfo: names for a terminal' '^t?g: *x?	y$' 'modinfo names.ko'
# Two call sites of the tracer, one inside the other: the first is ff 15 with a slot at 0x441f0f,
# which the second reads as its nop.
compile overlap c <<'END'
#include <kmodld/module.h>
MODULE_LICENSE("GPL");
asm(".text; .balign 8; site: .byte 0xff, 0x15, 0x0f, 0x1f, 0x44, 0, 0; .org site + 6 + 0x441f0f\n"
    ".quad __fentry__; .section __mcount_loc,\"a\"; .balign 8; .quad site, site + 2; .text");
END
shows 'map: call sites that overlap' '^call sites of the tracer, now nops: 1$' 'insmod overlap.ko; map overlap'
rm -f "$modules/overlap.ko"
shows 'trace' ' us  do_init_module ' 'insmod hello.ko; trace'
check 'trace file' sh -c "'$program' --trace-out '$scratch/trace.json' -c 'insmod $modules/hello.ko' &&
  grep -q '\"name\": \"load hello\"' '$scratch/trace.json' && grep -q '\"ph\": \"X\"' '$scratch/trace.json'"
prints 'holders' 'lrwxrwxrwx importer -> ../../importer' \
  'insmod exporter.ko; insmod importer.ko; ls /sys/module/exporter/holders'

# Parameters of every type: set on loading, seen by the module, read and written later.
parameters='byte=200 short=-300 ushort=60000 int=-5 uint=0x10 long=-6000000000 ulong=6000000000
  ullong=18446744073709551615 hexint=0xbeef bool=n invbool=y bint=0 numbers=7,8,9 label=tag'
parameters=$(echo $parameters)
value() { # value NAME INDEX EXPECTED SHOWN
  prints "parameter $1" "hello_value = $3
$4" "insmod hello.ko $parameters; call long hello_value $2; cat /sys/module/hello/parameters/$1"
}
value byte 0 '200 (0xc8)' 200
value short 1 '-300 (0xfffffffffffffed4)' -300
value ushort 2 '60000 (0xea60)' 60000
value int 3 '-5 (0xfffffffffffffffb)' -5
value uint 4 '16 (0x10)' 16
value long 5 '-6000000000 (0xfffffffe9a5f4400)' -6000000000
value ulong 6 '6000000000 (0x165a0bc00)' 6000000000
value ullong 7 '-1 (0xffffffffffffffff)' 18446744073709551615
value hexint 8 '48879 (0xbeef)' 0x00beef
value bool 9 '0 (0x0)' N
value invbool 10 '0 (0x0)' Y
value bint 11 '0 (0x0)' 0
value numbers 13 '3 (0x3)' 7,8,9
value label 18 '114586 (0x1bf9a)' tag
prints 'a text with spaces' 'two words' \
  'insmod hello.ko whom="two words"; cat /sys/module/hello/parameters/whom'
prints 'written parameter' 'hello_value = 77 (0x4d)
77' 'insmod hello.ko; write /sys/module/hello/parameters/int 77; call hello_value 3
cat /sys/module/hello/parameters/int'
refuses 'a wrong parameter' "EINVAL: hello: \`12x' invalid for parameter \`int'" 'insmod hello.ko int=12x'
refuses 'out of range' "ERANGE: hello: \`300' invalid for parameter \`byte'" 'insmod hello.ko byte=300'
refuses 'too many numbers' "EINVAL: hello: \`1,2,3,4,5' invalid for parameter \`numbers'" \
  'insmod hello.ko numbers=1,2,3,4,5'
refuses 'a text too long' "ENOSPC: hello: \`0123456789abcdef' too large for parameter \`label'" \
  'insmod hello.ko label=0123456789abcdef'
shows 'an unknown parameter' "unknown parameter 'nothing' ignored" 'insmod hello.ko nothing=1; dmesg'
refuses 'writing nonsense' 'EINVAL: /sys/module/hello/parameters/int: Invalid argument' \
  'insmod hello.ko; write /sys/module/hello/parameters/int x'
refuses 'a read-only parameter' 'EACCES: /sys/module/hello/parameters/label: Permission denied' \
  'insmod hello.ko; write /sys/module/hello/parameters/label x'
refuses 'no such file' 'ENOENT: /sys/module/hello/parameters/none: No such file or directory' \
  'insmod hello.ko; cat /sys/module/hello/parameters/none'

# Calls.
prints 'call' 'exporter_add = 42 (0x2a)' 'insmod exporter.ko; call exporter_add 0x2 40'
prints 'call with an expected result' 'sorting_calculate = -14 (0xfffffffffffffff2)' \
  'insmod sorting.ko; call long sorting_calculate 3 -100 7 = -14'
refuses 'call with a wrong result' 'EILSEQ: exporter_add should be 41 (0x29)' \
  'insmod exporter.ko; call exporter_add 2 40 = 41'
varying='s/^memcpy = .*/memcpy/'
prints 'call with text and buffers' 'memcpy
@b = 6162630000' 'call memcpy @b:5 "abc" 3'
refuses 'call of nothing' 'ENOENT: nothing: no such symbol' 'call nothing'
finds 'a fault in a call' '^EFAULT: SEGV at ro_after_init_poke+0x[0-9a-f]*/0x[0-9a-f]* .ro_after_init.' \
  'insmod ro_after_init.ko; call ro_after_init_poke 1'
cat >"$scratch/faulty.c" <<'END'
#include <kmodld/module.h>
static int (*volatile nobody)(void);
static int __init faulty_init(void) { return nobody(); }
static int __init good_init(void) { return 0; }
static void __exit faulty_exit(void) { *(volatile int*)nobody = 1; }
#ifdef IN_EXIT
module_init(good_init);
#else
module_init(faulty_init);
#endif
module_exit(faulty_exit);
MODULE_LICENSE("GPL");
END
cp examples/modules/build.sh "$scratch"
faulty() { # faulty NAME [FLAG]: compiled by the call that the samples have
  cp "$scratch/faulty.c" "$scratch/$1.c"
  KMODLD_CFLAGS="${2:-} -I$PWD/include -Wno-unused-function" sh "$scratch/build.sh" "$modules" "$1" >/dev/null 2>&1
}
faulty in_init; faulty in_exit -DIN_EXIT
refuses 'a fault in init' 'EFAULT: SEGV at 0, address (nil)' 'insmod in_init.ko'
finds 'a fault in exit' '^EFAULT: SEGV at faulty_exit+0x[0-9a-f]*/0x[0-9a-f]* .in_exit.' \
  'insmod in_exit.ko; rmmod in_exit'
refuses 'nothing is run with --link-only' 'EPERM: with --link-only no code of modules is run' \
  'insmod hello.ko; call hello_value 0' --link-only

# Everything that is wrong with a module.
prints 'check: nothing wrong' 'hello.ko: 0 found wrong, 0 notes' 'check hello.ko'
finds 'check: symbols' 'exporter_mul is for GPL-compatible modules only; the license is' \
  'insmod exporter.ko; check refused_gpl.ko'
finds 'check: namespaces' 'exporter_secret is in the namespace KMODLD_SAMPLE, which the module' \
  'insmod exporter.ko; check refused_ns.ko'
finds 'check: CRCs' 'CRC of checksums_crc32c: the module has 0x82f63b79, the export 0x82f63b78' \
  'insmod checksums.ko; check wrong/checksums_user.ko'
sed 's/exporter_add/exporter_adb/g' "$modules/importer.ko" >"$modules/near.ko"
finds 'check: nearest names' 'unknown symbol exporter_adb; did you mean exporter_add' \
  'insmod exporter.ko; check near.ko'
{ echo '#include <kmodld/module.h>'
  seq -f 'void exporter_ad%02.0f(void);' 12
  echo 'void (*const wanted[])(void) = {'; seq -f 'exporter_ad%02.0f,' 12; echo '};'
  echo 'MODULE_LICENSE("GPL");'; } | compile unknown c
finds 'check: many unknown names' 'unknown symbol exporter_ad12$' 'insmod exporter.ko; check unknown.ko'
check 'check: ten of them have hints' [ "$(grep -c 'unknown symbol exporter_ad.*; did you mean exporter_add' "$scratch/out")" = 10 ]
# Symbols times versions would be ten seconds.
seq -f '0x00000007	v%.0f	vmlinux	EXPORT_SYMBOL' 100000 >"$scratch/many.symvers"
{ echo '.section .modinfo,"a"; .asciz "name=versions"; .asciz "license=GPL"'
  echo '.section __versions,"a"; .balign 64'
  seq -f '.quad 7; .ascii "v%.0f"; .balign 64' 100000
  echo '.data'; seq -f '.quad v%.0f' 100000; } | compile versions assembler
quickly() { # in four seconds of the CPU
  (ulimit -t 4; "$program" --kernel-exports "$scratch/many.symvers" -c "check $modules/versions.ko") \
    >"$scratch/out" 2>&1
  tail -n 3 "$scratch/out"
  grep -q 'versions.ko: 1 found wrong, 0 notes' "$scratch/out"
}
check 'check: many symbols with many versions' quickly
rm -f "$modules/versions.ko"
finds 'check: version magic' "version magic 'kmodld ' should be 'another '" 'check hello.ko' \
  --vermagic 'another '
finds 'check: damage' 'wrong: ENOEXEC: Invalid ELF header magic' 'check text.ko'
varying='s/ in [0-9.]* s;/;/'
prints 'check leaves nothing' 'hello.ko: 0 found wrong, 0 notes
0 modules unloaded; left behind: 0 modules, 0 bytes, 0 per-CPU areas, 0 exports' 'check hello.ko; unload-all'

# Files, scripts, compression, dependencies.
printf '# a comment\ninsmod %s/hello.ko # another\n\ncall hello_value 0 = 1\n' "$modules" >"$scratch/script"
check 'a script' "$program" "$scratch/script"
check 'a script on stdin' sh -c "'$program' <'$scratch/script'"
check 'a refused command ends a script' sh -c "printf 'rmmod x\ncat /proc/modules\n' >'$scratch/bad'
  '$program' '$scratch/bad' 2>/dev/null; [ \$? -eq 1 ]"
varying=
for packer in 'xz xz' 'gz gzip' 'zst zstd'; do
  set -- $packer
  need "a .ko.$1 file" "$2" || continue
  "$2" -c "$modules/hello.ko" >"$modules/hello.ko.$1" 2>/dev/null
  prints "a .ko.$1 file" 'hello_value = 1 (0x1)' "insmod hello.ko.$1; call hello_value 0"
  head -c 200 "$modules/hello.ko.$1" >"$modules/cut.ko.$1"
  check "a damaged .ko.$1 file" sh -c "'$program' -c 'insmod $modules/cut.ko.$1' 2>&1 | grep -q '^EINVAL: .*damaged'"
done
if need 'much from a small file' gzip; then
  head -c 300M /dev/zero | gzip -1 >"$modules/zeros.ko.gz"
  refuses 'much from a small file' 'EFBIG: zeros.ko.gz: larger than 256 MiB without compression' 'insmod zeros.ko.gz'
  rm -f "$modules/zeros.ko.gz"
fi
varying='s/ .*//'
prints 'modprobe loads what is needed, soft dependencies too' 'hello
importer
exporter' \
  'modprobe importer; cat /proc/modules' --root "$modules"
refuses 'modprobe without such a module' "ENOENT: module none not found below $modules" 'modprobe none' \
  --root "$modules"
mkdir -p "$scratch/root/lib/modules/1.0/kernel"
cp "$modules/exporter.ko" "$modules/importer.ko" "$scratch/root/lib/modules/1.0/kernel"
echo 'kernel/importer.ko: kernel/exporter.ko' >"$scratch/root/lib/modules/1.0/modules.dep"
shows 'modprobe by modules.dep' '^importer ' 'modprobe importer; lsmod' --root "$scratch/root"

# The tour, as examples/run.sh shows it.
last_is() { "$@" >"$scratch/tour" 2>&1 && tail -n 1 "$scratch/tour" | grep -q "$expected" || { tail -n 20 "$scratch/tour"; false; }; }
expected='^12 modules executed, all results right$'
check 'demo with the sample modules' last_is sh "$demo" "$build"
expected='^[0-9]* modules executed, all results right$'
if root=$(package_root newest); then check "demo with Debian's modules" last_is sh "$demo" "$build" "$root"
else skip "demo with Debian's modules" 'no kernel package'; fi

# Debug messages of a real module are switched on: its jump labels are patched while it lives.
if root=$(package_root newest); then
  module=$(find "$root/lib/modules" -name 'speedstep-lib.ko*' | head -n 1)
  call='call int speedstep_get_frequency 2'
  check 'dynamic debug' sh -c "'$program' -c 'insmod $module; $call; dmesg; write \
    /proc/dynamic_debug/control \"func pentium3_get_frequency +p\"; $call; dmesg' >'$scratch/debug' 2>&1 &&
    [ \$(grep -c 'speed is 330000' '$scratch/debug') -eq 1 ]"
  check 'dynamic debug, off again' sh -c "'$program' -c 'insmod $module dyndbg=+p; write \
    /proc/dynamic_debug/control \"module speedstep_lib -p\"; $call; dmesg' >'$scratch/debug' 2>&1 &&
    ! grep -q 'speed is 330000' '$scratch/debug'"
  shows 'dynamic debug, on from the start' 'speed is 330000' "insmod $module dyndbg=+p; $call; dmesg"
  finds 'check: a dependency is named' 'unknown symbol jbd2_journal_stop; the module fs/jbd2/jbd2 exports it' \
    "check $(find "$root/lib/modules" -name 'ext4.ko*' | head -n 1)" --kernel-exports "$(echo "$root"/usr/src/linux-headers-*/Module.symvers)"
else skip 'dynamic debug' 'no kernel package'; fi

# Every module of the package, with the exports and CRCs of its kernel.
if root=$(package_root 6_1); then
  release=$(ls "$root/lib/modules" | head -n 1)
  symvers=$root/usr/src/linux-headers-$release/Module.symvers
  all=$(find "$root/lib/modules" -name '*.ko*' | wc -l)
  "$program" --link-only --kernel-exports "$symvers" \
    --vermagic "$release SMP preempt mod_unload modversions " \
    -c "load-all $root/lib/modules; unload-all" >"$scratch/all" 2>&1
  tail -n 2 "$scratch/all"
  check 'all modules of the package link' grep -q "^$all modules loaded, 0 refused;" "$scratch/all"
  check 'and none of them leaks' grep -q \
    "^$all modules unloaded in .* left behind: 0 modules, 0 bytes, 0 per-CPU areas, 0 exports" "$scratch/all"
else skip 'all modules of the package' 'no kernel package'; fi
finish
