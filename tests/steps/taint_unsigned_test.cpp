// SPDX-License-Identifier: MIT
// Modules without a valid signature.
#include "steps/support.hpp"

namespace kmodld::test {
TEST_CASE("taint_unsigned: taints each module, says so once") {
  auto h = make_host();
  CHECK(loaded(*h, simple_module()).taints == taint_unsigned);
  CHECK(loaded(*h, simple_module("second")).taints == taint_unsigned);
  CHECK((h->taints() & taint_unsigned) != 0);
  CHECK(h->diagnostics.count(errc::taint_unsigned) == 1);
  CHECK(h->diagnostics.said("demo: module verification failed: signature and/or required key "
                            "missing - tainting kernel"));
}

} // namespace kmodld::test
