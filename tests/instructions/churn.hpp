// SPDX-License-Identifier: MIT
#pragma once

namespace kmodld::test {

/// `steps` random loads and unloads in an arena; of the last 500 the arena's work is collected.
/// False if something went wrong.
bool churn(unsigned steps);

} // namespace kmodld::test
