# SPDX-License-Identifier: MIT
# The unit tests compile by the newest Clang that is promised.
compiler=clang++-19
. "$(dirname "$0")/../support/clang.sh"
