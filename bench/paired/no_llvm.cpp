// SPDX-License-Identifier: MIT
#include "parts.hpp"

namespace kmodld::bench {

void measure_llvm(report& out, std::vector<module_file> const&, run_options const&) {
  out.note("SKIPPED: JITLink and RuntimeDyld: built without llvm-19-dev");
}

} // namespace kmodld::bench
