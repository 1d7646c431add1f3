# SPDX-License-Identifier: MIT
# Randomly damaged modules through the whole load, under ASan and UBSan. --long: for ten minutes.
. "$(dirname "$0")/../support/part.sh"

if root=$(package_root newest 2>/dev/null); then
  modules=$(find "$root"/lib/modules -name '*.ko' -size -60k | sort | awk 'NR % 12 == 0')
else
  sh examples/modules/build.sh "$scratch" >/dev/null && modules=$(ls "$scratch"/*.ko)
fi
if [ -n "${KMODLD_LONG:-}" ]; then limits='--count 10000000 --seconds 600'
else limits='--count 100000 --seconds 45'; fi
# shellcheck disable=SC2086
exec "$build/tests/mutate" $limits --seed "${KMODLD_SEED:-1}" $modules
