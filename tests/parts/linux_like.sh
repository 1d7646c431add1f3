# SPDX-License-Identifier: MIT
# The demonstration of examples/linux_like, with Debian's modules where they can be had, and with
# the sample modules alone, as without a network.
. "$(dirname "$0")/../support/part.sh"

demo=examples/linux_like/demo.sh
program=$build/examples/linux_like/linux_like
if [ ! -f "$demo" ]; then skip 'linux_like' 'not written yet'; finish; fi
check 'demo with the sample modules' sh "$demo" "$build"
if root=$(package_root newest); then check "demo with Debian's modules" sh "$demo" "$build" "$root"
else skip "demo with Debian's modules" 'no kernel package'; fi
finish
