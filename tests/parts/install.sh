# SPDX-License-Identifier: MIT
# What `meson install` puts into a file system serves a program by pkg-config alone; a Meson project
# gets the dependency object.
. "$(dirname "$0")/../support/part.sh"

need 'installed use' meson || finish
stage=$scratch/stage
check 'configure' meson setup "$scratch/build" . --prefix /usr \
  -Dtests=disabled -Dexamples=disabled -Dbench=disabled
check 'install' meson install -C "$scratch/build" --destdir "$stage"

cat >"$scratch/use.cpp" <<'EOF'
#if __has_include(<kmodld/kmodld.hpp>)
#include <kmodld/kmodld.hpp>
#endif
#include <kmodld/error.hpp>
int main() { return 0; }
EOF
PKG_CONFIG_PATH=$stage/usr/share/pkgconfig PKG_CONFIG_SYSROOT_DIR=$stage
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
check 'version of the package' pkg-config --exact-version=0.1.0 kmodld
use() { (cd "$scratch" && g++ -std=c++20 $(PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 pkg-config --cflags kmodld) use.cpp -o use && ./use); }
check 'a program compiles and runs' use
whole() { (cd include && find kmodld -type f | sort) >"$scratch/ours"
  (cd "$stage/usr/include" && find kmodld -type f | sort) | diff "$scratch/ours" -; }
check 'every header is installed' whole

# The same program in a project that has kmodld as a subproject and asks for the dependency by name.
mkdir -p "$scratch/user/subprojects"
ln -s "$PWD" "$scratch/user/subprojects/kmodld"
cp "$scratch/use.cpp" "$scratch/user"
cat >"$scratch/user/meson.build" <<'EOF'
project('user', 'cpp', default_options: ['cpp_std=c++20'])
executable('use', 'use.cpp', dependencies: dependency('kmodld', fallback: 'kmodld'))
EOF
subproject() { env -u PKG_CONFIG_PATH meson setup "$scratch/user/build" "$scratch/user" && ninja -C "$scratch/user/build"; }
check 'use as a subproject' subproject
finish
