# SPDX-License-Identifier: MIT
# The programs of README.md are what it says: the first loads a module and refuses a damaged one; the
# module compiles by the call given. And what the documents name is there.
. "$(dirname "$0")/../support/part.sh"

block() { # block LANGUAGE: the first such block
  awk -v start="^\`\`\`$1\$" '$0 ~ start { inside = 1; next } /^```/ && inside { exit } inside' README.md
}
block cpp >"$scratch/readme.cpp"
block c >"$scratch/answer.c"
check 'README has a program' test -s "$scratch/readme.cpp"
check 'the program has 20 lines at most' test "$(grep -c . "$scratch/readme.cpp")" -le 20
check 'README has a module' test -s "$scratch/answer.c"

says() { # says TEXT STATUS COMMAND...
  text=$1 wanted=$2; shift 2
  "$@" >"$scratch/said" 2>&1; status=$?
  cat "$scratch/said"; echo "status $status"
  [ $status -eq "$wanted" ] && [ "$(cat "$scratch/said")" = "$text" ]
}
machine=$(uname -m)
[ "$machine" = x86_64 ] && check 'sample module' sh examples/modules/build.sh "$scratch" sorting
for compiler in g++ clang++-14; do
  need "README by $compiler" "$compiler" || continue
  check "README by $compiler" "$compiler" -std=c++20 -Iinclude -Wall -Wextra "$scratch/readme.cpp" -o "$scratch/readme"
  if [ "$machine" = x86_64 ]; then
    check 'the program loads a module' says 'sorting is live' 0 "$scratch/readme" "$scratch/sorting.ko"
    head -c 500 "$scratch/sorting.ko" >"$scratch/damaged.ko"
    check 'the program refuses a damaged one (ENOEXEC)' says '' 8 "$scratch/readme" "$scratch/damaged.ko"
  else
    skip 'run of the README' 'not on x86-64'
  fi
done
# The call stands in README.md between backquotes, with these names.
call=$(sed -n 's/^`\(gcc .* answer\.c -o answer\.ko\)`.*/\1/p' README.md)
check 'README has the compiler call' test -n "$call"
if [ "$machine" = x86_64 ]; then
  sources=$PWD
  compile() { (cd "$scratch" && sh -c "$(echo "$call" | sed "s,-Iinclude,-I$sources/include,") -Wall -Werror"); }
  check 'the module of the README' compile
fi

# The lines of "Imports and parameters", put into the first program, load that module.
second() {
  awk '/^```cpp$/ { n++; inside = n == 2; next } /^```/ { inside = 0 } inside' README.md >"$scratch/lines"
  sed -n '/in the Config/,/in main/p' "$scratch/lines" | grep '^using' >"$scratch/config"
  sed '1,/in main/d; s/reinterpret_cast<int (/return &/' "$scratch/lines" >"$scratch/main"
  { echo '#include <kmodld/linux/parameters.hpp>'; echo '#include <kmodld/policy/symbol_table.hpp>'
    awk -v config="$scratch/config" -v main="$scratch/main" '
      function put(file,  line) { while ((getline line < file) > 0) print line }
      /using symbol_resolver/ { put(config); next }
      /kmodld::loader<host>/ { put(main); next }
      /auto module = / || /module.error/ || /is live/ { next } 1' "$scratch/readme.cpp"; } >"$scratch/imports.cpp"
}
if [ "$machine" = x86_64 ]; then
  second
  check 'imports and parameters of the README' g++ -std=c++20 -Iinclude -Wall -Wextra -no-pie "$scratch/imports.cpp" -o "$scratch/imports"
  check 'its module answers 7' says '' 7 "$scratch/imports" "$scratch/answer.ko"
fi

# By the flags that module.h gives for the others; what comes out would be loaded.
loadable() { # loadable TARGET FLAG...
  target=$1; shift
  case $target in
    m68k-*) set -- m68k-linux-gnu-gcc-12 "$@" ;; # Debian's Clang has no m68k
    *) set -- clang-19 --target="$target" "$@" ;;
  esac
  "$@" -O2 -c -ffreestanding -fno-pic -fno-stack-protector \
    -fno-asynchronous-unwind-tables -Wall -Werror -Iinclude "$scratch/answer.c" -o "$scratch/$target.ko" &&
    "$build/examples/linux_like/linux_like" -c "check $scratch/$target.ko" >"$scratch/checked" 2>&1 &&
    grep -q ' 0 found wrong' "$scratch/checked" || { cat "$scratch/checked"; return 1; }
}
if need 'the module for other machines' clang-19; then
  while read -r target flags; do
    check "the module for $target" loadable "$target" $flags
  done <<'END'
aarch64-linux-gnu -mno-outline-atomics -mgeneral-regs-only
arm-linux-gnueabihf -msoft-float -mfloat-abi=soft
loongarch64-linux-gnusf -msoft-float
riscv64-linux-gnu -mcmodel=medany
riscv32-linux-gnu -mcmodel=medany
powerpc64le-linux-gnu -msoft-float -mno-altivec -mno-vsx -mabi=elfv2
powerpc64-linux-gnu -msoft-float -mno-altivec -mno-vsx -mabi=elfv2
s390x-linux-gnu -msoft-float
mips64el-linux-gnuabi64 -mno-abicalls -G0 -msoft-float
mips64-linux-gnuabi64 -mno-abicalls -G0 -msoft-float
mipsel-linux-gnu -mno-abicalls -G0 -msoft-float
mips-linux-gnu -mno-abicalls -G0 -msoft-float
i386-linux-gnu -msoft-float
END
fi
if need 'the module for m68k' m68k-linux-gnu-gcc-12; then
  check 'the module for m68k' loadable m68k-linux-gnu
fi

# Files and folders named in the documents, relative to the project or to include/kmodld.
named_files() {
  missing=
  for name in $(grep -ohE '`[a-z_0-9/.-]+\.(hpp|h|sh|md|cpp|c)`' "$1" | tr -d '`' | sort -u); do
    [ -e "$name" ] || [ -e "include/$name" ] || [ -e "include/kmodld/$name" ] || [ -e "$(dirname "$1")/$name" ] ||
      [ -n "$(find include tests examples -name "$name" | head -n 1)" ] || missing="$missing $name"
  done
  for name in $(sed -n 's/.*](\([^):#]*\)).*/\1/p' "$1"); do
    [ -e "$(dirname "$1")/$name" ] || missing="$missing $name"
  done
  [ -z "$missing" ] || { echo "no such file:$missing"; return 1; }
}
for document in README.md docs/*.md; do check "files named in $document" named_files "$document"; done

# Every step of the pipeline has its row, in order; every step file and every policy is named.
pipeline() { tr '\n' ' ' <include/kmodld/load_module.hpp | sed 's/.*pipeline<\(steps::module_sig_check.*\)>;.*namespace detail.*/\1/' |
  grep -oE 'steps::[a-z_]+' | sed 's/steps:://'; }
rows() { sed -n 's/^| [0-9]* | `\([a-z_]*\)`.*/\1/p' docs/steps.md; }
same_steps() { pipeline >"$scratch/pipeline"; rows >"$scratch/rows"; diff "$scratch/pipeline" "$scratch/rows"; }
check 'the steps of docs/steps.md are those of load_module.hpp, in order' same_steps
check 'load_module.hpp has steps' test "$(pipeline | wc -l)" -gt 30
for file in include/kmodld/steps/*.hpp; do
  check "$file is named in docs/steps.md" grep -qF "$(basename "$file")" docs/steps.md
done
for file in include/kmodld/policy/*.hpp; do
  check "$file is named in docs/policies.md" grep -qF "$(basename "$file")" docs/policies.md
done
members() { sed -n 's/^KMODLD_OPTIONAL(\([a-z]*\),.*/\1/p' include/kmodld/config.hpp; }
for member in arch allocator symbol_resolver protector notifier $(members); do
  check "policy $member in README.md" grep -q "^| \`$member\`" README.md
  check "policy $member in docs/policies.md" grep -q "^## .*\`$member\`" docs/policies.md
done
finish
