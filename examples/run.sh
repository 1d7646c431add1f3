# SPDX-License-Identifier: MIT
# sh examples/run.sh: installs what is missing, builds the examples into build/, fetches Debian's
# kernel package and shows its modules loaded, called and unloaded in a kernel inside a process.
# Without a network the same is done with the sample modules.
set -u
cd "$(dirname "$0")/.." || exit 2
build=${KMODLD_BUILD:-build}
packages_file=tests/support/packages.sh
. "$packages_file"

# The test run has installed and built everything already, and says so.
if [ -z "${KMODLD_BUILT:-}" ]; then
  install_packages $packages_needed $packages_libraries xz-utils
  [ -z "$packages_missing" ] || echo "cannot be installed here:$packages_missing"
  if [ ! -f "$build/build.ninja" ]; then
    CC=${CC:-gcc} CXX=${CXX:-g++} meson setup "$build" >/dev/null || exit
  fi
  ninja -C "$build" -t query examples/linux_like/linux_like >/dev/null 2>&1 ||
    { echo "$build was configured without the examples: use KMODLD_BUILD=another" >&2; exit 2; }
  ninja -C "$build" examples/linux_like/linux_like || exit
fi

root=${KMODLD_ROOT_newest:-}
if [ -z "$root" ] && ! root=$(fetch_kernel newest); then
  echo "no kernel package from Debian here (see above): showing the sample modules instead"
  root=
fi
exec sh examples/linux_like/demo.sh "$build" ${root:+"$root"}
