# SPDX-License-Identifier: MIT
# check.sh COMMAND...: whether the example, called by that, says what it should.
wanted='host: the sum of 0 to 20 is 210
sums: plugin_run(20) = 210, host_calls = 1
host: the plugin goes'
said=$("$@") || { echo "exit status $?: $said"; exit 1; }
[ "$said" = "$wanted" ] || { echo "$said"; exit 1; }
