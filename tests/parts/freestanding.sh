# SPDX-License-Identifier: MIT
# An object that uses the whole core needs nothing of a libc but four memory functions, and has
# neither static initialisation nor thread-local data.
. "$(dirname "$0")/../support/part.sh"

undefined_symbols() {
  foreign=$(nm -u "$1" | awk '{print $NF}' | grep -Evx 'memcpy|memmove|memset|memcmp|_GLOBAL_OFFSET_TABLE_')
  [ -z "$foreign" ] || { echo "$foreign" | c++filt; return 1; }
}
no_hidden_work() {
  ! readelf -SW "$1" | grep -E '\.(init_array|ctors|fini_array|tdata|tbss)'
}

for compiler in $core_compilers; do
  need "freestanding by $compiler" "$compiler" || continue
  for level in -Os -O2; do
    name="core.cpp by $compiler $level"; object=$scratch/core.o
    rm -f "$object"
    check "$name compiles" "$compiler" $(core_flags "$compiler") $level -c tests/freestanding/core.cpp -o "$object"
    if [ -f "$object" ]; then
      check "$name: undefined symbols" undefined_symbols "$object"
      check "$name: no static initialisation, no thread-local data" no_hidden_work "$object"
    fi
  done
done
finish
