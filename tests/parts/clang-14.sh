# SPDX-License-Identifier: MIT
# The unit tests compile by the oldest Clang that is promised.
compiler=clang++-14
. "$(dirname "$0")/../support/clang.sh"
