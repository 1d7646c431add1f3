# SPDX-License-Identifier: MIT
# plot.sh FIGURES.json DIRECTORY: draws loops.svg and link.svg from what bench_paired wrote.
set -u
command -v gnuplot >/dev/null 2>&1 || { echo "SKIPPED: plots: gnuplot is not installed"; exit 0; }
figures=$1 out=$2
scratch=$(mktemp -d); trap 'rm -rf "$scratch"' EXIT

# rows PATTERN: `"group" "name" value` of the groups that match.
rows() {
  awk -v pattern="$1" '
    /"group":/ { group = $0; sub(/.*"group": "/, "", group); sub(/",?$/, "", group) }
    /"name":/ { name = $0; sub(/.*"name": "/, "", name); sub(/",?$/, "", name) }
    /"value":/ { value = $0; sub(/.*: /, "", value); sub(/,$/, "", value)
      if (group ~ pattern) printf "\"%s\" \"%s\" %s\n", group, name, value }' "$figures"
}
chart() { # chart FILE TITLE UNIT
  gnuplot <<GNUPLOT
set terminal svg size 900,420 font "sans-serif,11"
set output "$1"
set title "$2"
set ylabel "$3"
set yrange [0:*]
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.8 border -1
set xtics rotate by -20
set key outside
plot for [i=2:$4] "$scratch/table" using i:xtic(1) title columnheader(i)
GNUPLOT
}
# One line a group, one column a name.
table() {
  awk '{ split($0, part, "\""); group = part[2]; name = part[4]; value = part[5] + 0
         if (!(group in seen)) { seen[group] = 1; groups[++g] = group }
         if (!(name in known)) { known[name] = 1; names[++n] = name }
         cell[group, name] = value }
       END { printf "set"; for (i = 1; i <= n; ++i) printf " \"%s\"", names[i]; print ""
             for (j = 1; j <= g; ++j) { short = groups[j]; sub(/^[^,]*, /, "", short)
               printf "\"%s\"", short
               for (i = 1; i <= n; ++i) printf " %s", cell[groups[j], names[i]]; print "" } }' \
    >"$scratch/table"
  columns=$(head -n 1 "$scratch/table" | grep -o '"[^"]*"' | wc -l)
}
rows '^relocation loop, (xfs|i915|amdgpu|all),' >"$scratch/rows"; table <"$scratch/rows"
[ "$columns" -eq 0 ] || chart "$out/loops.svg" 'Relocation loops, x86-64' 'ns a relocation' $((columns + 1))
rows '^link of all modules' >"$scratch/rows"; table <"$scratch/rows"
[ "$columns" -eq 0 ] || chart "$out/link.svg" 'Linking all modules of a kernel' 'ns a module' $((columns + 1))
