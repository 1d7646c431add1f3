// SPDX-License-Identifier: MIT
// The module's own copy of its arguments.
#include "steps/support.hpp"

namespace kmodld::test {
TEST_CASE("strndup_user: up to the first NUL, and the caller's text may go") {
  auto h = make_host();
  std::string args = "nosuch=1 other";
  args.push_back('\0');
  args += "junk=2";
  std::string seen;
  after(*h, "strndup_user", [&](module& m) {
    seen.assign(m.args.data(), m.args.size());
    CHECK(m.args.data()[m.args.size()] == '\0');
    std::fill(args.begin(), args.end(), 'x');
  });
  loaded(*h, simple_module(), args);
  CHECK(seen == "nosuch=1 other");
  CHECK(h->diagnostics.said("demo: unknown parameter 'nosuch' ignored"));
  CHECK(h->diagnostics.said("demo: unknown parameter 'other' ignored"));
  CHECK(!h->diagnostics.said("demo: unknown parameter 'junk' ignored"));
}

TEST_CASE("strndup_user: no arguments are an empty copy") {
  auto h = make_host();
  module& m = loaded(*h, simple_module());
  CHECK(m.args.size() == 0);
  CHECK(m.args.data() != nullptr);
}

TEST_CASE("strndup_user: too long") {
  auto h = make_host();
  std::string const args((std::size_t{1} << 24) + 1, 'x');
  CHECK(refused(*h, simple_module(), errc::args_too_long, "strndup_user", args).os_errno() ==
        e_inval);
}

} // namespace kmodld::test
