# SPDX-License-Identifier: MIT
# Size and stack of one loader for x86-64 with null optional policies, with their limits. Prints the
# figures; compile time is timed_reports.sh.
. "$(dirname "$0")/../support/part.sh"

text_limit=32768 stack_limit=4096
flags="-Iinclude -Itests"

# Bytes of the sections of an object whose names match.
section_bytes() { size -A "$1" | awk -v name="$2" '$1 ~ name { sum += $2 } END { print sum + 0 }'; }
no_messages() { ! strings "$1" | grep -q 'disagrees about version'; }
at_most() { [ "$1" -le "$2" ] || { echo "$1 > $2"; return 1; }; }

for compiler in $core_compilers; do
  need "text by $compiler" "$compiler" || continue
  object=$scratch/$compiler.o
  check "loader by $compiler" "$compiler" $(core_flags "$compiler") $flags -Os \
    -fno-asynchronous-unwind-tables -c tests/reports/loader.cpp -o "$object"
  [ -f "$object" ] || continue
  text=$(section_bytes "$object" '^\.text')
  echo "text by $compiler -Os: $text bytes; constants: $(section_bytes "$object" '^\.(rodata|data)') bytes"
  "$compiler" $(core_flags "$compiler") $flags -Os -DWHOLE_CLASS -fno-asynchronous-unwind-tables \
    -c tests/reports/loader.cpp -o "$scratch/whole.o" &&
    echo "with parameters, symbolising and fixups at run time: $(section_bytes "$scratch/whole.o" '^\.text') bytes"
  # The limit is for GCC; what Clang makes of it is told.
  [ "$compiler" != g++ ] || echo "limit of text by g++: $text_limit"
  [ "$compiler" != g++ ] || check 'text of a loader' at_most "$text" $text_limit
  check "no message strings by $compiler" no_messages "$object"
done
# error_text.hpp is paid for by whoever prints errors.
printf '#include <kmodld/error_text.hpp>\nstd::size_t f(kmodld::error const& e, std::span<char> out) { return format(e, out); }\n' >"$scratch/messages.cpp"
check 'messages' g++ $(core_flags g++) -Os -fno-asynchronous-unwind-tables -c "$scratch/messages.cpp" -o "$scratch/messages.o"
echo "messages by g++ -Os: text $(section_bytes "$scratch/messages.o" '^\.text') bytes, constants $(section_bytes "$scratch/messages.o" '^\.(rodata|data)') bytes"

# The worst path of the call graph. Calls through pointers: the table of undo actions, which is
# followed; policies and the module's own functions, which are not part of the library.
worst_stack() { # worst_stack FILE.ci ROOT OWN_POLICIES
  "$scratch/worst_stack" "$1" "$2" pipeline.hpp=undo_one "$3=" invoker.hpp= >"$scratch/worst"
  status=$?
  cat "$scratch/worst"
  return $status
}
last_number() { tail -n 1 "$1" | sed -n 's/^\([0-9]*\) bytes$/\1/p'; }

check 'worst_stack' g++ -std=c++20 -O1 -Wall -Wextra tests/reports/worst_stack.cpp -o "$scratch/worst_stack"
check 'call graph' g++ $(core_flags g++) $flags -O2 -fcallgraph-info=su -c tests/reports/loader.cpp -o "$scratch/graph.o"
for what in load unload; do
  check "worst path of $what" worst_stack "$scratch/graph.ci" "::$what(" host.hpp
  bytes=$(last_number "$scratch/worst")
  echo "stack of $what by g++ -O2: ${bytes:-?} bytes, limit $stack_limit"
  check "stack of $what" at_most "${bytes:-999999}" $stack_limit
  [ $what = unload ] || cat "$scratch/worst"
done

# Cross-check: real loads on a painted stack, by a build whose own worst path is computed too. Bound
# at start, since the dynamic linker's work at a first call is none of ours.
if [ "$(uname -m)" = x86_64 ]; then
  check 'painted_stack' g++ -std=c++20 -Wall -Wextra $flags -O2 -fcallgraph-info=su \
    -c tests/reports/painted_stack.cpp -o "$scratch/painted.o"
  check 'painted_stack, linked' g++ "$scratch/painted.o" -o "$scratch/painted" -llzma -Wl,-z,now
  check 'sample modules' sh examples/modules/build.sh "$scratch/samples"
  painted() { "$scratch/painted" "$@" >"$scratch/depths"; }
  check 'loads on a painted stack' painted "$scratch"/samples/*.ko
  depth=$(last_number "$scratch/depths")
  check 'worst path of the painted build' worst_stack "$scratch/painted.ci" '::load()' painted_stack.cpp
  bound=$(last_number "$scratch/worst")
  echo "painted stack of $(ls "$scratch"/samples/*.ko | wc -l) loads: ${depth:-?} bytes; worst path of that build: ${bound:-?}"
  check 'the painted stack is within the worst path' at_most "${depth:-999999}" "${bound:-0}"
  check 'the worst path is not far from the painted stack' at_most "${bound:-999999}" $((${depth:-0} * 2))
  check 'painted stack' at_most "${depth:-999999}" $stack_limit
else
  skip 'painted stack' 'the sample modules of x86-64 cannot be built here'
fi

# What an architecture takes beyond its table.
awk '/static constexpr (reloc::)?rule rules\[\]/ { table = 1 }
     { ++lines[FILENAME] }
     table { ++rows[FILENAME] }
     !table && /^ *\/\// { ++comments[FILENAME] }
     table && /^ *};/ { table = 0 }
     END { for (f in lines)
             printf "%s: %d lines, %d of them the table, %d comments, %d the rest\n", f, lines[f],
               rows[f], comments[f], lines[f] - rows[f] - comments[f] }' include/kmodld/arch/*.hpp |
  sed 's,include/kmodld/,,' | sort
finish
