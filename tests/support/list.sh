# SPDX-License-Identifier: MIT
# What the build finds by itself, since meson has no wildcard. Run by tests/meson.build in tests/.
#   list.sh areas       folders that hold *_test.cpp, '.' for tests/ itself: one program each
#   list.sh tests AREA  the *_test.cpp of one area
#   list.sh programs    folders that hold main.cpp or NAME/NAME.cpp: one program each
#   list.sh program NAME   its sources: every .cpp of the folder that is no unit test
#   list.sh support     tests/support/*.cpp, linked into all of them
#   list.sh parts       tests/parts/*.sh, without the suffix
set -eu
cd "$(dirname "$0")/.."
case $1 in
  areas) find . -name '*_test.cpp' | cut -d/ -f2 | sed 's/.*_test\.cpp$/./' ;;
  tests) if [ "$2" = . ]; then find . -maxdepth 1 -name '*_test.cpp'
         else find "$2" -name '*_test.cpp'; fi ;;
  programs) for name in *; do
              if [ -f "$name/main.cpp" ] || [ -f "$name/$name.cpp" ]; then echo "$name"; fi
            done ;;
  program) find "$2" -name '*.cpp' ! -name '*_test.cpp' ;;
  support) find support -maxdepth 1 -name '*.cpp' ;;
  parts) find parts -maxdepth 1 -name '*.sh' | sed 's,.*/,,; s,\.sh$,,' ;;
esac | sort -u
