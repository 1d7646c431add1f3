# SPDX-License-Identifier: MIT
# count.sh NAME COMMAND...: runs one test of whatever kind and notes in the file $KMODLD_TALLY
# 'NAME passed failed skipped', so that tests/run.sh can add up. What counts, in this order:
# a last line 'N passed, N failed, N skipped', doctest's summary, or else the exit status as one
# test (77: skipped). A line 'SKIPPED: reason' inside a doctest case makes that case a skipped one.
set -u
name=$1; shift
out=$(mktemp); trap 'rm -f "$out"' EXIT
"$@" >"$out" 2>&1; status=$?
cat "$out"

number='[0-9][0-9]*'
sum=$(tail -n 1 "$out" |
  sed -n "s/^\($number\) passed, \($number\) failed, \($number\) skipped\$/\1 \2 \3/p")
if [ -z "$sum" ]; then
  sum=$(sed "s/$(printf '\033')\[[0-9;]*m//g" "$out" | sed -n \
    "s/.*test cases: *$number *| *\($number\) passed *| *\($number\) failed *| *\($number\) skipped.*/\1 \2 \3/p" |
    tail -n 1)
  if [ -n "$sum" ]; then
    noted=$(grep -c 'SKIPPED: ' "$out")
    set -- $sum; sum="$(($1 - noted)) $2 $(($3 + noted))"
  fi
fi
[ -n "$sum" ] || case $status in 0) sum='1 0 0' ;; 77) sum='0 0 1' ;; *) sum='0 1 0' ;; esac
set -- $sum
# A program that dies after its summary, or that reports failures and exits 0, has failed.
[ $status -eq 0 ] || [ $status -eq 77 ] || [ "$2" -gt 0 ] || set -- "$1" $(($2 + 1)) "$3"

if [ -n "${KMODLD_TALLY:-}" ]; then
  { echo "count $name $1 $2 $3"; grep 'SKIPPED: ' "$out" | sed "s/^/note $name /"
    [ $status -ne 77 ] || tail -n 1 "$out" | sed "s/^/note $name /"; } >>"$KMODLD_TALLY"
fi
[ "$2" -eq 0 ] || exit 1
[ "$1" -gt 0 ] || [ "$3" -eq 0 ] || exit 77
