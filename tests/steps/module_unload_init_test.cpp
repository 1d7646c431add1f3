// SPDX-License-Identifier: MIT
// Reference counts while a module is made.
#include "steps/support.hpp"

namespace kmodld::test {
TEST_CASE("module_unload_init: base and the one held while init runs") {
  auto h = make_host();
  u32 early = 0, in_init = 0;
  after(*h, "module_unload_init", [&](module& m) { early = m.refcnt; });
  h->invoker.during_init = [&](module& m) { in_init = m.refcnt; };
  auto ref = h->load(simple_module());
  REQUIRE(ref);
  CHECK(early == 2);
  CHECK(in_init == 2);
  CHECK((*ref)->refcnt == 2); // base and ref
  ref->reset();
  CHECK(h->modules().begin()->refcnt == 1);
}

TEST_CASE("module_unload_init: its undo gives back what simplify_symbols took") {
  auto h = make_host();
  module& base = loaded(*h, base_module());
  h->tracer.fail_step = "apply_relocations";
  u32 held = 0;
  after(*h, "simplify_symbols", [&](module&) { held = base.refcnt; });
  refused(*h, full_module(), errc::injected, "apply_relocations");
  CHECK(held == 2);
  CHECK(base.refcnt == 1);
  CHECK(base.source_list == nullptr);
}

} // namespace kmodld::test
