# SPDX-License-Identifier: MIT
# `linux_like link`: for every architecture two objects are compiled in the run, linked together, and
# compared byte by byte with what ld.lld (m68k: GNU ld) makes of them at the same addresses; their GOT is read; they
# are linked far apart, made into a program, and run by qemu-user, so that stubs are not only looked
# at. What must be refused is, with its errno and message, and leaves no image. About 20 seconds; with
# KMODLD_LONG, which damages more objects, some three minutes.
. "$(dirname "$0")/../support/part.sh"
program=$(pwd)/$build/examples/linux_like/linux_like
case $build in /*) program=$build/examples/linux_like/linux_like ;; esac
sources=$(pwd)/tests/data/link
[ -x "$program" ] || { skip link 'linux_like is not built'; finish; }
need link clang-19 && need link ld.lld-19 && need link llvm-objcopy-19 || finish
cd "$scratch" || exit 2

# What compiles and links for a target: LLVM, but GNU tools for m68k, which Debian's LLVM does not know.
compiler() { case $1 in m68k-*) echo m68k-linux-gnu-gcc-12 ;; *) echo clang-19 --target=$1 ;; esac; }
linker() { case $1 in m68k-*) echo m68k-linux-gnu-ld ;; *) echo ld.lld-19 ;; esac; }

# compile TARGET SOURCE OBJECT FLAG...
compile() {
  target=$1 source=$2 object=$3; shift 3
  $(compiler "$target") -O2 -ffreestanding -fcommon -fno-unwind-tables \
    -fno-asynchronous-unwind-tables -w "$@" -c -o "$object" "$source"
}
link() { "$program" link "$@"; }

# The map: `sections MAP` prints name, file (- for the linker's own), address, size; `entry MAP PART
# NAME` prints the numbers that a name has in symbols, got or stubs.
sections() {
  awk '/"name":/ { name = $2 } /"file":/ { file = $2 } /"address":/ { address = $2 }
    /"size":/ && name != "" { print name, (file ~ /^""/ ? "-" : file), address, $2; name = "" }' "$1" |
    tr -d '",'
}
entry() {
  awk -v part="\"$2\":" -v name="\"$3\":" '
    $1 == part { inside = 1; next } inside && /^ [}]/ { exit }
    inside && $1 == name { if ($2 != "[") { print $2; exit } list = 1; next }
    list && /]/ { exit } list { print $1 }' "$1" | tr -d ','
}
field() { awk -v name="\"$2\":" '$1 == name { print $2; exit }' "$1" | tr -d ','; }

# as_lld DIRECTORY EXTRA FLAG...: DIRECTORY's near.o and far.o, linked into image by map, have the
# bytes that ld.lld gives each of their sections at its address. EXTRA: for its script, before .toc.
as_lld() {
  d=$1 extra=$2; shift 2
  sections $d/map >$d/sections
  { echo 'SECTIONS {'
    awk -v extra="$extra" '$1 == ".toc" && extra != "" { print extra; extra = "" }
         $2 != "-" && $4 > 0 { printf " .s%d %s : { %s(%s) }\n", NR, $3, $2, $1 }
         $1 == "COMMON" { printf " .common %s (NOLOAD) : { *(COMMON) }\n", $3 }' $d/sections
    echo "/DISCARD/ : { *(.comment .note* .ARM.attributes .ARM.exidx* .reginfo .MIPS.*
      .riscv.attributes .llvm_addrsig) } }"; } >$d/script
  $(linker $target) -T $d/script --no-relax --no-check-sections -e 0 "$@" -o $d/lld $d/near.o $d/far.o || return 1
  base=$(field $d/map base) line=0 compared=0
  while read -r name file address size; do
    line=$((line + 1))
    case $name in .bss* | .ARM.exidx* | .reginfo | .MIPS* | .note*) continue ;; esac
    [ "$file" != - ] && [ "$size" -gt 0 ] || continue
    llvm-objcopy-19 --dump-section .s$line=$d/part $d/lld /dev/null || return 1
    cmp -n "$size" -i $((address - base)):0 $d/image $d/part || { echo "$file $name"; return 1; }
    compared=$((compared + size))
  done <$d/sections
  [ $compared -gt 100 ] || { echo "only $compared bytes compared"; return 1; }
}

# The word of WIDTH bytes at an address of the image, as a number; ORDER is little or big.
word() { # word DIRECTORY ADDRESS WIDTH ORDER
  dd if=$1/image bs=1 skip=$(($2 - $(field $1/map base))) count=$3 status=none | od -An -v -tu1 -w1 |
    awk -v order=$4 '{ b[NR] = $1 } END { for (i = 1; i <= NR; ++i)
      n = n * 256 + b[order == "big" ? i : NR + 1 - i]; printf "%.0f\n", n }'
}
# Every slot of the GOT holds the address of its symbol; there are at least COUNT.
got_holds() { # got_holds DIRECTORY WIDTH ORDER COUNT
  n=0
  for name in into_table absent_address shared table far_add absent; do
    slot=$(entry $1/map got $name)
    [ -n "$slot" ] || continue
    n=$((n + 1))
    wanted=$(entry $1/map symbols $name)
    [ "$(word $1 "$slot" $2 $3)" = "${wanted:-0}" ] || { echo "slot of $name"; return 1; }
  done
  [ $n -ge "$4" ] || { echo "only $n slots"; grep -A 9 '"got"' $1/map; return 1; }
}

# runs DIRECTORY TARGET QEMU: the image as a program.
runs() {
  d=$1
  sections $d/map >$d/sections
  start=$(entry $d/map symbols _start)
  base=$(field $d/map base)
  line=0
  while read -r name file address size; do
    line=$((line + 1))
    [ "$size" -gt 0 ] || continue
    dd if=$d/image iflag=skip_bytes,count_bytes skip=$((address - base)) count=$size of=$d/part$line status=none
    printf '.section .r%d,"awx"\n.incbin "%s"\n' $line $d/part$line
  done <$d/sections >$d/run.s
  awk 'BEGIN { print "PHDRS { near PT_LOAD FLAGS(7); far PT_LOAD FLAGS(7); }\nSECTIONS {" }
    $4 > 0 { printf " .r%d %s : { *(.r%d) } :%s\n", NR, $3, NR, $3 - 536870912 < 0 ? "near" : "far" }
    END { print "/DISCARD/ : { *(.note* .MIPS.* .reginfo .ARM.*) } }" }' $d/sections >$d/run.ld
  $(compiler "$2") $flags -w -c -o $d/run.o $d/run.s || return 1
  $(linker "$2") -z max-page-size=65536 -T $d/run.ld --no-check-sections -e "$start" -o $d/program $d/run.o || return 1
  if [ "$3" = - ]; then $d/program; else $3 $d/program; fi
  status=$?
  [ $status -eq 42 ] || { echo "status $status"; return 1; }
}
stub_of() { # stub_of MAP NAME: there is at least one
  [ -n "$(entry "$1" stubs "$2")" ] || { echo "no stub for $2"; grep -A 20 '"stubs"' "$1"; return 1; }
}
no_stubs() { grep -q '"stubs": {}' "$1"; }

# machine NAME TARGET QEMU WIDTH ORDER GOT FAR FLAG...: all of this for one architecture. GOT: how
# many slots -fpic code has at least; FAR: addresses of far.o's code, `-` if all is in reach.
machine() {
  arch=$1 target=$2 qemu=$3 width=$4 order=$5 slots=$6 far=$7; shift 7
  flags="$*"
  mkdir -p $arch-near $arch-pic
  check "$arch: compiled" compile $target "$sources/near.c" $arch-near/near.o -fno-pic $flags
  compile $target "$sources/far.c" $arch-near/far.o -fno-pic ${far_flags:-$flags}
  d=$arch-near
  check "$arch: linked" link $d/near.o $d/far.o $pins --base 0x10000000 -o $d/image --map $d/map
  case $arch in
    powerpc64*) extra=" .got $(($(entry $d/map symbols .TOC.) - 0x8000)) : { *(.got) }" ;;
    *) extra= ;;
  esac
  check "$arch: bytes as $(linker $target)'s" as_lld $d "$extra" $lld_flags
  check "$arch: in reach there are no stubs" no_stubs $d/map
  if command -v "$qemu" >/dev/null || [ $qemu = - ]; then
    check "$arch: runs" runs $d $target $qemu
  else skip "$arch: runs" "$qemu is not installed"; fi
  for at in $far; do
    [ $at != - ] || continue
    d=$arch-far-$at
    mkdir -p $d
    check "$arch: linked far apart, $at" link $arch-near/near.o $arch-near/far.o \
      --section $arch-near/far.o:.text=$at --base 0x10000000 -o $d/image --map $d/map
    check "$arch: a stub there, $at" stub_of $d/map far_add
    check "$arch: a stub back, $at" stub_of $d/map near_twice
    if command -v "$qemu" >/dev/null || [ $qemu = - ]; then
      check "$arch: far calls run, $at" runs $d $target $qemu
    fi
    rm -f $d/image $d/program
  done
  [ $slots -gt 0 ] || return 0
  d=$arch-pic
  compile $target "$sources/near.c" $d/near.o -fpic $flags &&
    compile $target "$sources/far.c" $d/far.o -fpic $flags
  check "$arch: -fpic linked" link $d/near.o $d/far.o --base 0x10000000 -o $d/image --map $d/map
  check "$arch: GOT" got_holds $d $width $order $slots
  if command -v "$qemu" >/dev/null || [ $qemu = - ]; then check "$arch: -fpic runs" runs $d $target $qemu; fi
}
pins= far_flags= lld_flags=
machine x86_64 x86_64-linux-gnu - 8 little 2 '0x210000000' -fno-asynchronous-unwind-tables
machine i386 i686-linux-gnu - 4 little 2 -
machine aarch64 aarch64-linux-gnu qemu-aarch64 8 little 2 '0x40000000 0x210000000'
machine arm armv7-linux-gnueabihf qemu-arm 4 little 2 '0x40000000'
machine riscv64 riscv64-linux-gnu qemu-riscv64 8 little 2 '0x210000000' -mno-relax -mcmodel=medany
machine riscv32 riscv32-linux-gnu qemu-riscv32 4 little 2 - -mno-relax -mcmodel=medany
machine loongarch64 loongarch64-linux-gnu qemu-loongarch64 8 little 2 '0x40000000' -mno-relax -fdirect-access-external-data
for order in le ''; do
  pins="--section powerpc64$order-near/near.o:.toc=0x10010010"
  lld_flags=--no-toc-optimize bytes=big; [ -z "$order" ] || bytes=little
  machine powerpc64$order powerpc64$order-linux-gnu qemu-ppc64$order 8 $bytes 0 '0x40000000' -mabi=elfv2 -fpic
done
pins= lld_flags=
machine s390x s390x-linux-gnu qemu-s390x 8 big 2 '0x210000000'
machine mips64el mips64el-linux-gnuabi64 qemu-mips64el 8 little 0 '0x40000000' -mno-abicalls -G0
machine mips64 mips64-linux-gnuabi64 qemu-mips64 8 big 0 '0x40000000' -mno-abicalls -G0
machine mipsel mipsel-linux-gnu qemu-mipsel 4 little 0 '0x40000000' -mno-abicalls -G0
machine mips mips-linux-gnu qemu-mips 4 big 0 '0x40000000' -mno-abicalls -G0
if need m68k m68k-linux-gnu-gcc-12; then machine m68k m68k-linux-gnu qemu-m68k 4 big 2 -; fi

# What a link does beside relocating: on x86-64, from assembly.
object() { # object NAME: its source is on stdin
  clang-19 --target=${object_target:-x86_64-linux-gnu} -c -x assembler -o $1.o - || echo "$1 is not assembled"
}
object one <<'S'
        .globl start, twice, size_of
        .weak nobody, chosen
        .comm buffer, 24, 16
start:  call twice
        call outer
        ret
chosen: ret
hidden: ret
        .section .far, "ax"
        call start
        .data
        .quad nobody, chosen, buffer, twice, hidden
        .set size_of, 5
S
cp one.o copy.o
object two <<'S'
        .globl twice, chosen, hidden
        .comm buffer, 40, 8
        .balign 64
twice:  ret
        .balign 16
chosen: ret
hidden: ret
        .data
        .balign 32
        .quad start, buffer
S
linked() { link one.o two.o --abs outer=0x10000800 --base 0x10000000 -o image --map map "$@"; }
symbol() { entry map symbols "$1"; }
value() { word . "$1" 8 little; } # of 8 bytes at an address
of_section() { sections ${2:-map} | awk -v name="$1" '$1 == name { print $3; exit }'; }
is() { [ "$1" = "$2" ] || { echo "is $1, should be $2"; return 1; }; }
check 'linked' linked
at=$(of_section .data)
check 'code first' is "$(sections map | sed -n 1p)" '.text one.o 268435456 13'
check 'a weak symbol that nobody has is 0' is "$(value $at)" 0
check 'a definition replaces a weak one' is "$(value $((at + 8)))" "$(symbol chosen)"
check 'the definition is that of the other file' is "$(symbol chosen)" $((0x10000000 + 64 + 16))
check 'the common symbol is allocated' is "$(value $((at + 16)))" "$(symbol buffer)"
check 'of the largest size' is "$(sections map | awk '$1 == "COMMON" { print $2, $4 }')" '- 40'
check 'of the largest alignment' is $(($(symbol buffer) % 16)) 0
check 'a symbol of the other file' is "$(value $((at + 24)))" "$(symbol twice)"
check 'a local symbol stays its file'\''s' is "$(value $((at + 32)))" $((0x10000000 + 12))
check 'in the map the global one wins' is "$(symbol hidden)" $((0x10000000 + 64 + 17))
check 'an absolute symbol' is "$(symbol size_of)" 5
check 'a call to --abs' is "$(word . $((0x10000006)) 4 little)" $((0x10000800 - 0x1000000a))
check 'no stub where all is in reach' no_stubs map
check 'holes are zero' is "$(dd if=image bs=1 skip=13 count=51 status=none | od -An -v -tx1 | tr -d ' 0\n')" ''
check 'the image has the size of the map' is "$(stat -c %s image)" "$(field map size)"

check 'linked, far' linked --abs outer=0x7fffffffffff0000
stub=$(entry map stubs outer)
check 'a call far away has a stub' is "$(word . 268435462 4 little)" $((stub - 0x1000000a))
check 'the stub jumps by its slot to the target' is \
  "$(dd if=image bs=1 skip=$((stub - 0x10000000)) count=16 status=none | od -An -v -tx1)" \
  ' ff 25 02 00 00 00 66 90 00 00 ff ff ff ff ff 7f'

check 'sections placed' linked --section one.o:.far=0x400000000 --section two.o:.data=0x20000000
check 'at their address' is "$(sections map | grep -c -e '^.far one.o 17179869184 ' -e '^.data two.o 536870912 ')" 2
check 'with a stub behind them' is "$(entry map stubs start)" $((0x400000000 + 16))
check 'in an image with holes' sh -c "[ \$(du -k image | cut -f 1) -lt 1000 ] && [ \$(stat -c %s image) -gt 16000000000 ]"
check 'around what is placed at the base' linked --section two.o:.text=0x10000000
check 'the others follow' is "$(sections map | sed -n 2p | cut -d ' ' -f 1-3)" ".text one.o $((0x10000014))"
check 'a section below the base' linked --section two.o:.text=0xff00000
check 'is in the map alone' is "$(of_section .text) $(stat -c %s image)" "$((0xff00000)) $(field map size)"
check 'nothing else is' is "$(sections map | awk '$3 < 268435456' | wc -l)" 1
check 'a base in the upper half' linked --abs outer=0xffffffff80000000 --base 0xffffffff81000000
check 'a shell command, too' "$program" -c "link one.o two.o --abs outer=0x10000800 --base 0x10000000 -o image --map map"

object common_group <<'S'
        .section .text.inline, "axG", @progbits, inline, comdat
        .weak inline
inline: ret
        .section .data.user, "aw"
        .quad inline
S
cp common_group.o other_group.o
check 'COMDAT groups' link common_group.o other_group.o --base 0x10000000 -o image --map map
check 'the first one stays' is "$(sections map | grep -c inline)" 1
check 'for both files' is "$(value $(($(of_section .data.user) + 8)))" $((0x10000000))

# What must be refused: errno and message, status 1, and no image, neither an old one.
refuses() { name=$1 message=$2; shift 2; check "refused: $name" refused "$message" "$@"; }
refused() {
  message=$1; shift
  : >image
  link "$@" --base ${base_of:-0x10000000} -o image --map map >out 2>err
  status=$?
  cat err
  [ $status -eq 1 ] && [ "$(cat err)" = "$message" ] && [ ! -e image ] && [ ! -e map ]
}
printf 'no object' >text.o
head -c 300 one.o >cut.o
object tls <<'S'
        .section .tdata, "awT"
x:      .long 1
        .text
        movl %fs:x@tpoff, %eax
S
object far_data <<'S'
        .long outer - .
S
object big <<'S'
        .bss
        .zero 0x90000000
S
object huge <<'S'
        .bss
        .zero 0x70000000
S
object_target=aarch64-linux-gnu object foreign <<'S'
        ret
S
usage='EINVAL: usage: link FILE... [--abs NAME=0xVALUE]... [--section FILE:NAME=0xADDRESS]... --base 0xADDRESS -o IMAGE --map MAP.json'
outer=--abs=outer=0x10000800
refuses 'no file' 'ENOENT: none.o: No such file or directory' none.o
refuses 'no object' 'ENOEXEC: text.o: Invalid ELF header len 9' text.o
refuses 'a cut object' 'ENOEXEC: cut.o: Invalid ELF section header overflow' cut.o
refuses 'an unknown symbol' 'ENOENT: one.o: Unknown symbol outer (err -2)' one.o two.o
refuses 'two definitions' 'EEXIST: copy.o: start is defined by one.o already' one.o copy.o two.o $outer
refuses 'two machines' 'ENOEXEC: foreign.o: an object for aarch64, but one.o is for x86_64' one.o foreign.o
refuses 'thread-local storage' \
  'ENOEXEC: tls.o: section 3 reloc 0: type 23 is for thread-local storage, which modules cannot have' tls.o
refuses 'data out of reach' \
  "ENOEXEC: far_data.o: overflow in relocation type 2 val 2000000000, section 3 reloc 0 sym 'outer'" \
  far_data.o --abs outer=0x2010000000
refuses 'an unknown section' 'ENOENT: one.o has no section .none in memory' one.o two.o $outer --section one.o:.none=0
refuses 'overlapping sections' 'EINVAL: two sections placed at 0x20000008 overlap' one.o two.o $outer \
  --section one.o:.text=0x20000000 --section one.o:.data=0x20000008
refuses 'a misaligned section' \
  'EINVAL: 0x20000010 for section .text is no multiple of its alignment 0x40' one.o two.o $outer --section two.o:.text=0x20000010
refuses 'an image beyond all measure' \
  'EFBIG: the image would reach from 0x10000000 to 0x7000000000000037; 0x1000000000 bytes are the most that is written' \
  one.o two.o $outer --section two.o:.data=0x7000000000000000 --section one.o:.data=0x7000000000000010
refuses 'a section of more than 2 GiB' \
  'ENOEXEC: section .bss does not fit: size 0x90000000, alignment 0x1' big.o
base_of=0xfffffffffffffff0
refuses 'beyond the last address' 'ENOEXEC: section .text does not fit: size 0x12, alignment 0x40' two.o --abs start=1
base_of=
object_target=i686-linux-gnu object small <<'S'
        .long outer
S
refuses 'an address beyond 32 bits' 'EINVAL: outer=0x100000000 is no 32-bit address' small.o --abs outer=0x100000000
check 'a sign-extended one is none' link small.o --abs outer=0xffffffff80000001 --base 0x1000 -o image --map map
check 'and is cut' is "$(word . 4096 4 little)" $((0x80000001))
# misuses NAME MESSAGE ARGUMENT...: files are not touched.
misuses() { name=$1 message=$2; shift 2; check "misused: $name" misused "$message" "$@"; }
misused() {
  message=$1; shift
  link "$@" 2>err
  [ $? -eq 1 ] && [ "$(cat err)" = "$message" ] || { cat err; return 1; }
}
output='--base 0x10000000 -o image --map map'
misuses 'a number' 'EINVAL: 0x1g is no 64-bit number' one.o --abs outer=0x1g $output
misuses 'a number beyond 64 bits' 'EINVAL: 0x10000000000000000 is no 64-bit number' \
  one.o --abs outer=0x10000000000000000 $output
misuses 'a section of no file' 'EINVAL: three.o:.text: names no section of a file that is linked' \
  one.o two.o --section three.o:.text=0 $output
misuses 'no base' "$usage" one.o -o image --map map
misuses 'no image' "$usage" one.o --base 0 --map map
misuses 'no map' "$usage" one.o --base 0 -o image
misuses 'no object' "$usage" $output
misuses 'an unknown option' "$usage" one.o --bass 0 $output
misuses 'an object as output' 'EINVAL: one.o is one of the objects' one.o two.o --base 0 -o one.o --map map
check 'which stays' [ -s one.o ]
check 'a large .bss takes no memory' sh -c "ulimit -v 8000000; '$program' link huge.o --base 0x10000000 -o image --map map &&
  [ \$(stat -c %s image) -eq $((0x70000000)) ] && [ \$(du -k image | cut -f 1) -lt 100 ]"

# Tools that take modules of any architecture.
module() { # module NAME TARGET [SECTION...]: one that does nothing
  { printf '\t.section .modinfo, "a"\n\t.asciz "name=tiny"\n\t.asciz "license=GPL"\n\t.asciz "description=%s"\n' $2
    printf '\t.section .gnu.linkonce.this_module, "aw"\n\t.zero 24\n\t.asciz "tiny"\n\t.zero 1000\n'
    printf '\t.data\n\t.globl __ksymtab_tiny\n__ksymtab_tiny:\n\t.long tiny_import - .\n'
    for section in $3; do printf '\t.section %s, "ax"\n\t.byte 0\n' $section; done; } >$1.s
  object_target=$2 object $1 <$1.s
}
module s390x_module s390x-linux-gnu ''
module arm64_module aarch64-linux-gnu '.plt .init.plt'
module arm64_bare aarch64-linux-gnu ''
tool() { "$program" -c "$*" >out 2>&1; status=$?; cat out; return $status; }
says() { name=$1 wanted=$2 pattern=$3; shift 3; check "$name" said "$wanted" "$pattern" "$@"; }
said() { wanted=$1 pattern=$2; shift 2; tool "$@"; [ $? -eq "$wanted" ] && grep -q -e "$pattern" out; }
says 'modinfo, s390x' 0 '^description:  *s390x-linux-gnu$' modinfo s390x_module.o
says 'modinfo, exports' 0 '^exports:  *tiny$' modinfo arm64_module.o
says 'check, s390x' 0 '^s390x_module.o: for s390x: 0 found wrong, 0 notes$' check s390x_module.o
says 'check, aarch64' 0 '^arm64_module.o: for aarch64: 0 found wrong, 0 notes$' check arm64_module.o
says 'check, no PLT' 1 'wrong: ENOEXEC: .*module PLT section(s) missing\|wrong: ENOEXEC: .*PLT' check arm64_bare.o
says 'check, no module' 1 'wrong: ENOEXEC: .*No module found in object' check foreign.o
says 'map, s390x' 0 '^  0xffffffffa000[0-9a-f]*  *1029 .gnu.linkonce.this_module$' map s390x_module.o
says 'map, regions' 0 '^0xffffffffa0000000-0xffffffffa0001000  *4096 core$\|^0xffffffffa0000000-.* core$' map arm64_module.o
says 'map, an object' 0 '^  0x00000000  *4 .text$' map foreign.o
says 'map, neither loaded nor a file' 1 '^ENOENT: nothing: no module of this name$' map nothing
says 'insmod of another machine' 1 '^ENOEXEC: Invalid architecture in ELF header: 183$' insmod arm64_module.o

# Objects that no compiler makes: assembled byte by byte. What they share costs their size once: a few
# seconds of CPU, where work that grows with the square of the size takes a minute, or a refusal.
# forge NAME: sections' contents, then `headers`, then a `header` for each, are on stdin.
forge() {
  { cat <<'S'
        .macro headers
        .set count, (end - first) / 64
        .balign 8
first:  .zero 64
        .endm
        .macro header name, type, flags, begin, past, link=0, info=0, align=1
        .long \name, \type
        .quad \flags, 0, \begin - file, \past - \begin
        .long \link, \info
        .quad \align, 0
        .endm
        .macro symbol name, info, section, value=0
        .long \name
        .byte \info, 0
        .short \section
        .quad \value, 0
        .endm
        .data
file:   .ascii "\177ELF\2\1\1"
        .zero 9
        .short 1, 62
        .long 1
        .quad 0, 0, first - file
        .long 0
        .short 64, 0, 0, 64, count, count - 1
S
    cat
    echo '        header 0, 3, 0, names, names_end'
    echo 'end:'; } | object $1.forged && llvm-objcopy-19 -O binary -j .data $1.forged.o $1.o
}
# contents LENGTH [SECTION VALUE]: code, the symbols (null and one of that section), names (one of LENGTH).
contents() {
  cat <<S
code:   .zero 65536
code_end:
symbols: .zero 24
        symbol 1, 0x10, ${2:-3}, ${3:-0}
symbols_end:
names:  .byte 0
        .fill $1, 1, 'x'
        .byte 0
names_end:
S
}
# relocations COUNT TYPE STEP: of code, to the one symbol, with addends that are STEP apart.
relocations() {
  printf 'relas:\n .set i, 0\n .rept %s\n .quad 4 * i + 1, 1 << 32 | %s, %s * i - 4\n .set i, i + 1\n .endr\nrelas_end:\n' $1 $2 $3
}
few='        header 0, 2, 0, symbols, symbols_end, 2, 1
        header 0, 3, 0, names, names_end
        header 0, 1, 6, code, code_end'
group='        header 0, 17, 0, words, words_end, 0, 1'
{ contents 3; echo 'words: .long 1'; echo ' .fill 1600, 4, 3'; echo 'words_end:'
  printf ' headers\n%s\n .rept 100\n%s\n .endr\n' "$few" "$group"; } | forge groups
refuses 'groups with shared members' 'ENOEXEC: groups.o: groups share their bytes' groups.o

swift() { (ulimit -t ${2:-4}; link $1 --base 0x10000000 -o image --map map); } # CPU seconds
{ contents 4000000; echo 'words: .long 1, 4'; echo 'words_end:'
  printf ' headers\n%s\n .rept 16000\n%s\n .endr\n' "$few" "$group"; } | forge signatures
check 'groups with one long signature' swift signatures.o

rela='        header 0, 4, 0, relas, relas_end, 1, 3'
{ contents 4000000 0xfff1 0x7000000000000000; relocations 16000 4 0
  printf ' headers\n%s\n%s\n' "$few" "$rela"; } | forge label
check 'calls of one long name' swift label.o
check 'have one stub' is "$(grep -c '^  "x' map)" 2
labels() { echo "ENOEXEC: the names of GOT slots and stubs take more than $((4 * $(stat -c %s $1) + 65536)) bytes"; }
{ contents 40000 0xfff1 0x7000000000000000; relocations 2000 4 8
  printf ' headers\n%s\n%s\n' "$few" "$rela"; } | forge stubs
refuses 'stubs for one long name' "$(labels stubs.o)" stubs.o
{ contents 4000 | sed 's/^symbols_end:/.rept 400\n symbol 0, 3, 3\n .endr\n&/'
  relocations 400 9 0 | sed 's/ 1 << 32/ (i + 2) << 32/'
  printf ' headers\n%s\n%s\n' "$few" "$rela" | sed 's/header 0, 1, 6/header 1, 1, 6/'; } | forge slots
refuses 'slots for one long name of a section' "$(labels slots.o)" slots.o

{ contents 3; relocations 1 1 0
  printf ' headers\n%s\n%s\n' "$(echo "$few" | sed 's/1, 6, code, code_end/8, 3, file, file + 0x10000000/')" "$rela"; } | forge bss
refuses 'relocations of what has no bytes' \
  'ENOEXEC: bss.o: section 4 relocates section 3, which has no bytes in the file' bss.o

{ contents 4000; printf ' headers\n%s\n .rept 300\n header 1, 1, 2, code, code\n .endr\n' "$few"; } | forge named
refuses 'sections with one long name' 'ENOEXEC: named.o: section names share their bytes' named.o
says 'modinfo, sections with one long name' 1 '^ENOEXEC: section names share their bytes$' modinfo named.o
says 'map, sections with one long name' 1 '^ENOEXEC: section names share their bytes$' map named.o
{ contents 100000 | sed 's/^symbols_end:/.rept 20\n symbol 1, 0, 3\n .endr\n&/'; printf ' headers\n%s\n' "$few"; } | forge spelled
says 'modinfo, symbols with one long name' 1 '^ENOEXEC: symbol names share their bytes$' modinfo spelled.o

# Names that std::hash takes for one: of 16 bytes, the second half chosen for the first. Its function
# is MurmurHash64A with a known seed; all of its steps can be undone.
collide() {
  multiplier=-4132994306676758123 inverse=6879827495036328381 # modulo 2^64
  n=0
  while [ $n -lt $1 ]; do
    first=$((0x4141414141414141 + n % 16 + n / 16 % 16 * 256 + n / 256 % 16 * 65536 + n / 4096 * 16777216))
    mixed=$((first * multiplier))
    mixed=$(((mixed ^ mixed >> 47 & 0x1ffff) * multiplier))
    hash=$((((0xc70f6907 ^ 16 * multiplier) ^ mixed) * multiplier))
    second=$(((0x123456789abcdef0 ^ hash) * inverse))
    second=$(((second ^ second >> 47 & 0x1ffff) * inverse))
    n=$((n + 1))
    printf '%016x %016x\n' $first $second
  done | grep -Ev '(^| )([0-9a-f]{2})*00' | sed 's/\(.*\) \(.*\)/ .quad 0x\1, 0x\2\n .byte 0/'
}
collide 16500 >collisions
count=$(grep -c quad collisions)
{ printf 'symbols: .zero 24\n .set i, 0\n .rept %s\n symbol 1 + 17 * i, 0x10, 3\n .set i, i + 1\n .endr\n' $count
  printf 'symbols_end:\ncode: .zero 16\ncode_end:\nnames: .byte 0\n'; cat collisions
  printf 'names_end:\n headers\n%s\n' "$few"; } | forge collisions
check 'names with one hash' swift collisions.o 1
check 'which are many' [ $count -gt 14000 ]

# Damaged objects: cut, and with bytes changed. Nothing but status 0 and 1, with 1 no image.
survives() {
  for arch in $machines; do
    size=$(stat -c %s $arch-near/near.o) n=0
    while [ $n -lt $size ]; do
      if [ "$1" = cut ]; then head -c $n $arch-near/near.o >hostile.o
      else
        cp $arch-near/near.o hostile.o
        printf "$1" | dd of=hostile.o bs=1 seek=$n conv=notrunc status=none
      fi
      rm -f image
      timeout 20 "$program" link hostile.o $arch-near/far.o --base 0x10000000 -o image --map map >out 2>&1
      status=$?
      if [ $status -gt 1 ] || { [ $status -eq 1 ] && [ -e image ]; }; then
        echo "$arch: status $status at byte $n"; cat out; return 1
      fi
      n=$((n + step))
    done
  done
}
machines='x86_64 arm riscv64 powerpc64 mips64 s390x' step=311
[ -z "${KMODLD_LONG:-}" ] || step=23 machines="$machines i386 aarch64 riscv32 loongarch64 powerpc64le mips64el mipsel mips"
[ -z "${KMODLD_LONG:-}" ] || [ ! -d m68k-near ] || machines="$machines m68k"
rm -f image
check 'cut objects' survives cut
check 'objects with large numbers' survives '\377\377\377\177'
check 'objects with zeros' survives '\000\000\000\000'
check 'objects with small numbers' survives '\003\000\000\000'
finish
