# SPDX-License-Identifier: MIT
# Sourced: what the project takes from Debian, for tests/run.sh and examples/run.sh.

# To build and to run everything. Without the first line nothing can be built.
packages_needed='g++ meson pkg-config doctest-dev ca-certificates'
packages_libraries='libbenchmark-dev libcli11-dev libedit-dev libfmt-dev liblz4-dev liblzma-dev
  libssl-dev libzstd-dev nlohmann-json3-dev zlib1g-dev'
packages_checks='valgrind clang-14 clang-19 clang-format-19 clang-tidy-19 lld-19 llvm-19'
packages_run='qemu-system-x86 cpio xz-utils'
# For the example kernel of another machine.
packages_run_aarch64='qemu-system-arm binutils-aarch64-linux-gnu g++-12-aarch64-linux-gnu'
# To link for and to execute on other machines. The compilers' names with a version do not conflict
# with gcc-multilib, as those without do.
packages_foreign='qemu-user qemu-system-arm'
for triplet in i686-linux-gnu aarch64-linux-gnu arm-linux-gnueabihf riscv64-linux-gnu \
  powerpc64le-linux-gnu powerpc64-linux-gnu s390x-linux-gnu mips64el-linux-gnuabi64 \
  mips64-linux-gnuabi64 mipsel-linux-gnu mips-linux-gnu m68k-linux-gnu; do
  packages_foreign="$packages_foreign binutils-$triplet g++-12-$triplet"
done

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Installs what is missing of the packages named; sets $packages_missing to what cannot be had.
install_packages() {
  packages_missing=
  for package; do installed "$package" || packages_missing="$packages_missing $package"; done
  [ -n "$packages_missing" ] || return 0
  as_root=
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 ||
      { echo "neither root nor sudo: cannot install$packages_missing"; return 0; }
    as_root=sudo
  fi
  apt_install() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends "$@" \
      >"$packages_log" 2>&1
  }
  packages_log=$(mktemp)
  echo "installing$packages_missing"
  if ! apt_install $packages_missing; then
    $as_root apt-get -q update >"$packages_log" 2>&1 || tail -n 3 "$packages_log"
    if ! apt_install $packages_missing; then
      # One that is gone must not keep the others away.
      for package in $packages_missing; do apt_install "$package" || tail -n 2 "$packages_log"; done
    fi
  fi
  rm -f "$packages_log"
  wanted=$packages_missing packages_missing=
  for package in $wanted; do installed "$package" || packages_missing="$packages_missing $package"; done
}

# The kernels that tests load modules of: a name, and what fetch.sh is to fetch.
kernel_package() {
  case $1 in
    6_1) echo 'linux-image-6.1.0-56-amd64=6.1.192-2 linux-headers-6.1.0-56-amd64=6.1.192-2' ;;
    arm64) echo '--arch arm64 linux-image-6.1.0-56-arm64=6.1.192-2' ;;
    arm64_newest) echo '--arch arm64 linux-image-6.1.0-[0-9][0-9]-arm64' ;;
    linked) echo 'linux-image-6.1.0-50-amd64=6.1.176-1' ;;
    6_12) echo '--suite trixie linux-image-6.12.117+deb13-amd64=6.12.117-1' ;;
    newest) echo 'linux-image-6.1.0-[0-9][0-9]-amd64 linux-headers-6.1.0-[0-9][0-9]-amd64' ;;
  esac
}
# fetch_kernel NAME: prints the directory; status 77 where it cannot be had, reason on stderr.
fetch_kernel() (
  set -f # the names are patterns for apt, not for files here
  sh "$(dirname "$packages_file")/fetch.sh" $(kernel_package "$1")
)
