# SPDX-License-Identifier: MIT
# sh tests/execution/run.sh MACHINE: builds the test program and the samples for a machine into
# $KMODLD_BUILD/execution/MACHINE, once, executes them, and prints one line. Details are in `log`
# there. Status 0: all results right; 1: not; 77: cannot be run here, the line says why.
# sh tests/execution/run.sh MACHINE ARCH FILE...: runs crosslink.cpp there instead.
set -eu
cd "$(dirname "$0")/../.."
. tests/execution/machines.sh
name=$1
machine "$name" || { echo "$name: unknown"; exit 2; }
out=${KMODLD_BUILD:-build}/execution/$name
mkdir -p "$out"
skip() { echo "$name: $*"; exit 77; }

cache=$(command -v ccache) || cache=''
compiler() { # compiler gcc|g++|clang|clang++: the command line
  case $1 in
    g*) echo "$cache $gcc$1-12" ;;
    *) echo "$cache $1-19 --target=$target" ;;
  esac
}
main_compiler=gcc main_compiler_cxx=g++
[ -n "$gcc" ] || [ "$name" = amd64 ] || main_compiler=clang main_compiler_cxx=clang++
[ $main_compiler = clang ] && tools='clang++-19 ld.lld-19 aarch64-linux-gnu-g++-12' || tools="${gcc}g++-12"
for tool in $tools ${qemu%% *}; do
  command -v "$tool" >/dev/null 2>&1 || skip "$tool is not installed"
done
have_clang=
command -v clang-19 >/dev/null 2>&1 && have_clang=yes

# again FILE SOURCE...: whether FILE has to be made anew: when sources or commands differ.
again() {
  file=$1; shift
  key=$(cat tests/execution/run.sh tests/execution/machines.sh "$@" | sha256sum)
  [ ! -e "$file" ] || [ "$(cat "$file.key" 2>/dev/null)" != "$key" ]
}
made() { echo "$key" >"$1.key"; }

free='-ffreestanding -fno-stack-protector -fno-exceptions'
samples=tests/execution/samples
# build NAME OBJECT...: the program NAME of NAME.cpp.
build() (
  set -e
  program=$1; shift
  objects=$*
  rm -f "$out/$program"
  cxx=$(compiler $main_compiler_cxx) cc=$(compiler $main_compiler)
  set -- $free -fno-asynchronous-unwind-tables $abi $host
  $cxx -std=c++20 -O1 -Iinclude -idirafter "$out/include" $headers "$@" -Wall -Wextra -Wconversion -Werror -fno-rtti \
    -fno-threadsafe-statics -DKMODLD_ARCH="$arch" -DKMODLD_KERNEL="$kernel" -c "tests/execution/$program.cpp" \
    -o "$out/$program.o"
  $cc -O2 "$@" -fno-builtin $no_memcpy -c tests/execution/runtime.c -o "$out/runtime.o"
  for sample in $objects; do
    $cc -O1 $free -fno-asynchronous-unwind-tables $abi -fno-pic -DPREFIX=linked_ -c "$samples/$sample.c" \
      -o "$out/linked_$sample.o"
  done
  $cc -static -nostdlib -Wl,-e,_start $link -o "$out/$program" "$out/$program.o" "$out/runtime.o" \
    $(for sample in $objects; do echo "$out/linked_$sample.o"; done) $libraries
)
program() { # program NAME OBJECT...: the same if it is not there or old
  again "$out/$1" $(find include/kmodld -name '*.hpp' | sort) tests/execution/*.?pp tests/execution/runtime.c \
    $samples/* || return 0
  set +e; build "$@" >"$out/build.log" 2>&1; built=$?; set -e
  [ $built -eq 0 ] || { cat "$out/build.log"; echo "$name: $1 does not compile"; exit 1; }
  made "$out/$1"
}
headers=''
if [ $main_compiler = clang ]; then # no cross GCC: the C++ headers of another one that has the same types
  headers="-nostdinc++ $($(machine arm64; echo ${gcc}g++-12) -xc++ -E -v /dev/null 2>&1 | sed -n '/^#include </,/^End/s,^ /,-idirafter /,p' | tr '\n' ' ')"
fi
libraries=-lgcc no_memcpy=-fno-tree-loop-distribute-patterns
[ "$name" != riscv32 ] || libraries=''
[ $main_compiler = gcc ] || libraries='-fuse-ld=lld-19' no_memcpy=''
# libstdc++ asks libc for a header that Debian has for the usual ABIs only; it may be empty.
mkdir -p "$out/include/gnu"
: >"$out/include/gnu/stubs-64-v2.h"; : >"$out/include/gnu/stubs-ilp32.h"
if [ $# -gt 1 ]; then
  shift
  program crosslink
  exec $qemu "$out/crosslink" "$@"
fi
program host provider consumer

# own OBJECT FLAG...: the flags for one of the two objects.
own() {
  object=$1; shift
  for flag; do
    case $flag in
      "$object":*) echo "${flag#*:}" ;;
      provider:* | consumer:*) ;;
      *) echo "$flag" ;;
    esac
  done
}
refused=
build_samples() {
  while read -r variant places with flags; do
    [ "$with" = gcc ] || [ -n "$have_clang" ] || continue
    [ "$with" = clang ] || [ -n "$gcc" ] || [ "$name" = amd64 ] || continue
    mkdir -p "$out/$variant"
    for object in provider consumer; do
      $(compiler "$with") $free $abi $(own $object $flags) -fno-asynchronous-unwind-tables -w -c "$samples/$object.c" -o "$out/$variant/$object.o" ||
        { echo "$variant $object does not compile"; continue 2; }
    done
    echo "sample $variant $places $out/$variant/provider.o $out/$variant/consumer.o"
  done
}
if again "$out/list" $samples/*; then
  variants "$name" | build_samples >"$out/list" 2>"$out/samples.log"
  made "$out/list"
fi
if grep -v '^sample' "$out/list"; then cat "$out/samples.log"; echo "$name: samples do not compile"; exit 1; fi

# Debian's modules, unpacked.
kernel_list() (
  set -f # the names are patterns for apt, not for files here
  root=$(sh tests/support/fetch.sh $package) || exit 77
  set +f
  mkdir -p "$out/modules"
  for module in $debian_modules; do
    found=$(find "$root" -name "$module.ko*" | head -n 1)
    case $found in
      '') continue ;;
      *.xz) xz -dc "$found" >"$out/modules/$module.ko" ;;
      *) cp "$found" "$out/modules/$module.ko" ;;
    esac
    echo "kernel $module $places $out/modules/$module.ko"
  done
)
note=''
if [ -z "$package" ]; then
  : >"$out/kernel_list"; rm -f "$out/kernel_list.key"
elif again "$out/kernel_list" tests/support/fetch.sh; then
  if kernel_list >"$out/kernel_list" 2>"$out/fetch.log"; then made "$out/kernel_list"
  else note=", Debian's modules: $(tail -n 1 "$out/fetch.log")"; fi
fi

status=0
$qemu "$out/host" $(cat "$out/list" "$out/kernel_list") >"$out/log" 2>&1 || status=1
grep -B2 '^FAILED' "$out/log" || true
tail -n 1 "$out/log" | grep -q ' executed, ' || { tail -n 3 "$out/log"; }
echo "$name: $(tail -n 1 "$out/log"), $(grep '^types' "$out/log" || echo "status $status")$note"
exit $status
