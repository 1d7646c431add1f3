# SPDX-License-Identifier: MIT
# fetch.sh [--suite SUITE] [--arch ARCH] PACKAGE[=VERSION]...: downloads Debian packages by apt,
# unpacks them together and prints the directory. PACKAGE may be a pattern of the shell: the newest
# that matches is taken. What is in the cache is not asked for again. Nothing is installed.
# Exit status 77: cannot be had (no network, or the version is gone); the reason is on stderr.
#
# The machine's own package lists serve where they fit. For another suite or architecture, or when
# they are out of date, apt gets a private configuration under the cache, whose sources are the
# machine's with the suite replaced; the machine's own state is never changed.
set -eu
suite=bookworm arch=$(dpkg --print-architecture)
while :; do
  case ${1:-} in
    --suite) suite=$2; shift 2 ;;
    --arch) arch=$2; shift 2 ;;
    *) break ;;
  esac
done
[ $# -gt 0 ] || { echo "usage: fetch.sh [--suite SUITE] [--arch ARCH] PACKAGE[=VERSION]..." >&2; exit 2; }

cache=${KMODLD_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/kmodld}
roots=$cache/roots/$suite-$arch
etc=${KMODLD_APT_ETC:-/etc/apt}
own=$cache/apt/$suite-$arch
mkdir -p "$roots" "$own"
chmod 700 "$own"
log=$own/log
skip() { echo "fetch.sh: $*" >&2; exit 77; }

# All packages of one call share a root. A stamp named after the call tells where, once it is whole.
stamp() { echo "$roots/$(printf '%s' "$*" | tr -c 'A-Za-z0-9.+~=-' '_').done"; }
asked=$(stamp "$@")
[ ! -f "$asked" ] || { cat "$asked"; exit 0; }
exec 9>"$own/lock"
flock 9
[ ! -f "$asked" ] || { cat "$asked"; exit 0; }

# Lines 'URI SUITE SIGNED-BY' of every source of the machine, both formats.
machine_sources() {
  for file in "$etc/sources.list" "$etc"/sources.list.d/*.list; do
    [ ! -f "$file" ] || sed -n 's/^deb  *//p' "$file" | awk '{
      signed = ""
      if (match($0, /^\[[^]]*\] */)) {
        options = substr($0, 1, RLENGTH); $0 = substr($0, RLENGTH + 1)
        if (match(options, /signed-by=[^] ]*/)) signed = substr(options, RSTART + 10, RLENGTH - 10)
      }
      print $1, $2, signed }'
  done
  for file in "$etc"/sources.list.d/*.sources; do
    [ ! -f "$file" ] || awk '
      function flush(  u, s, i, j) {
        if (types ~ /(^| )deb( |$)/ && enabled !~ /^no/)
          for (i = split(uris, u, " "); i; i--)
            for (j = split(suites, s, " "); j; j--) print u[i], s[j], signed
        types = uris = suites = signed = enabled = ""
      }
      /^#/ { next }
      /^[ \t]*$/ { flush() }
      { key = tolower($1); value = $0; sub(/^[^:]*: */, "", value) }
      key == "types:" { types = value }
      key == "uris:" { uris = value }
      key == "suites:" { suites = value }
      key == "signed-by:" { signed = value }
      key == "enabled:" { enabled = value }
      END { flush() }' "$file"
  done
}

# The Debian archive is known by its suites, CODENAME and CODENAME-{updates,security}.
derived_sources() {
  machine_sources | awk -v from="$codename" -v to="$suite" '
    $2 == from || $2 == from "-updates" || $2 == from "-security" {
      print "deb " ($3 ? "[signed-by=" $3 "] " : "") $1 " " to substr($2, length(from) + 1) " main"
    }' | sort -u
}

codename=$(. /etc/os-release; echo "${VERSION_CODENAME:-}")
private=
apt() { # apt TOOL ARGUMENT...: with the private configuration, once there is one
  tool=$1; shift
  if [ -n "$private" ]; then "apt-$tool" -q -c "$own/apt.conf" "$@" 9>&-; else "apt-$tool" -q "$@" 9>&-; fi
}

go_private() {
  private=yes
  mkdir -p "$own/lists/partial" "$own/archives/partial" "$own/state"
  : >>"$own/state/status"
  derived_sources >"$own/sources.list"
  [ -s "$own/sources.list" ] || skip "no Debian archive for '$codename' among this machine's sources"
  cat >"$own/apt.conf" <<EOF
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Sandbox::User "$(id -un)";
APT::Get::AllowUnauthenticated "false";
Dir::Etc::SourceList "$own/sources.list";
Dir::Etc::SourceParts "-";
Dir::State "$own/state";
Dir::State::Lists "$own/lists";
Dir::State::Status "$own/state/status";
Dir::Cache "$own";
Dir::Cache::Archives "$own/archives";
Acquire::Languages "none";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
#clear APT::Architectures;
APT::Architectures { "$arch"; };
EOF
}

# The newest 'NAME=VERSION' that the lists know for PACKAGE[=VERSION].
resolve() {
  name=${1%%=*}
  case $name in *[][*?]*)
    name=$(apt cache pkgnames 2>>"$log" |
      while read -r known; do case $known in $name) echo "$known" ;; esac; done | sort -V | tail -n 1) ;;
  esac
  [ -n "$name" ] || return 1
  versions=$(apt cache madison "$name" 2>>"$log" | awk -F ' *\\| *' '$3 !~ /Sources/ {print $2}')
  case $1 in
    *=*) version=$(echo "$versions" | grep -Fx -- "${1#*=}" | head -n 1) ;;
    *) version=$(echo "$versions" | sort -V | tail -n 1) ;;
  esac
  [ -z "$version" ] || echo "$name=$version"
}

# Sets $found to what the lists have for the packages asked for and downloads that into $down, unless
# it is unpacked already. Fails at the first that cannot be had.
download_all() {
  found=
  for wanted; do
    one=$(resolve "$wanted") || one=
    [ -n "$one" ] || { missing="$wanted is in no package list of $suite ($arch)"; return 1; }
    found="$found $one"
  done
  found=${found# }
  [ ! -f "$(stamp "$found")" ] || return 0
  rm -rf "$down"; mkdir -p "$down"
  (cd "$down" && apt get download $found) >>"$log" 2>&1 ||
    { missing="download of $found failed: $(grep '^[EW]:' "$log" | tail -n 1)"; return 1; }
}

: >"$log"
down=$own/download
have=
if [ "$suite" = "$codename" ] && [ "$arch" = "$(dpkg --print-architecture)" ]; then
  if download_all "$@"; then have=yes; fi
fi
if [ -z "$have" ]; then
  go_private
  if download_all "$@"; then have=yes; fi
fi
if [ -z "$have" ]; then
  updated=yes
  apt get -o APT::Update::Error-Mode=any update >>"$log" 2>&1 || updated=
  if download_all "$@"; then have=yes; fi
  [ -n "$have" ] || [ -n "$updated" ] ||
    missing="$missing; apt-get update failed: $(grep "^E:" "$log" | head -n 1)"
fi
[ -n "$have" ] || skip "$missing"

whole=$(stamp "$found")
root=${whole%.done}
if [ ! -f "$whole" ]; then
  rm -rf "$root" "$root.part"
  for deb in "$down"/*.deb; do dpkg-deb -x "$deb" "$root.part"; done
  mv "$root.part" "$root"
  rm -rf "$down"
  echo "$root" >"$whole"
fi
[ "$asked" = "$whole" ] || echo "$root" >"$asked"
echo "$root"
