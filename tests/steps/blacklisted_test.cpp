// SPDX-License-Identifier: MIT
// module_blacklist=a,b,c.
#include "steps/support.hpp"

namespace kmodld::test {
TEST_CASE("blacklisted: whole names between commas") {
  auto h = make_host();
  for (auto list : {"demo", "x,demo", "demo,x", ",demo,"}) {
    h->settings().module_blacklist = list;
    error e = refused(*h, simple_module(), errc::module_blacklisted, "blacklisted");
    CHECK(e.os_errno() == e_perm);
    CHECK(text_of(e) == "Module demo is blacklisted");
  }
  h->settings().module_blacklist = "demo2,dem,xdemo,,demo ";
  loaded(*h, simple_module());
}

} // namespace kmodld::test
