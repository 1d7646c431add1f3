// SPDX-License-Identifier: MIT
// CRCs of the symbols that a module uses.
#include "steps/support.hpp"

namespace kmodld::test {
namespace {
constexpr u32 right = 0x1234; // what exporting_module has
builder user(std::string_view name = "user") {
  builder b = simple_builder(name);
  b.undefined("f");
  return b;
}
std::unique_ptr<host> with_f(kernel k = kernel::v6_1) {
  auto h = make_host(k);
  exported_symbol& s = h->symbols.kernel("f");
  s.crc = right;
  s.has_crc = true;
  return h;
}
} // namespace

TEST_CASE("check_version: equal") {
  auto h = with_f();
  builder b = user();
  b.version("g", 1).version("f", right).version("f", 1); // the first of a name counts
  CHECK((loaded(*h, b).taints & taint_forced) == 0);
}

TEST_CASE("check_version: different") {
  auto h = with_f();
  builder b = user();
  b.version("f", right + 1);
  error e = refused(*h, b, errc::version_disagrees, "simplify_symbols");
  CHECK(e.os_errno() == e_inval);
  CHECK(text_of(e) == "user: disagrees about version of symbol f");
  CHECK(h->diagnostics.said("user: Unknown symbol f (err -22)"));
}

TEST_CASE("check_version: the upper half of the word must be zero") {
  auto h = with_f();
  builder b = user();
  b.version("f", right);
  auto f = b.build();
  f.data("__versions")[4] = std::byte{1};
  refused(*h, f.bytes, errc::version_disagrees, "simplify_symbols");
}

TEST_CASE("check_version: not listed is refused where that is strict, else noted") {
  builder b = user();
  b.version("g", right);
  auto h = with_f();
  error e = refused(*h, b, errc::version_no_symbol, "simplify_symbols");
  CHECK(e.os_errno() == e_inval);
  CHECK(text_of(e) == "user: no symbol version for f");
  auto lenient = with_f(kernel::lenient);
  CHECK((loaded(*lenient, b).taints & taint_forced) == 0);
  CHECK(lenient->diagnostics.said("user: no symbol version for f"));
}

TEST_CASE("check_version: no versions at all") {
  auto h = with_f();
  CHECK((loaded(*h, user()).taints & taint_forced) != 0);
  CHECK(h->diagnostics.said("user: f: kernel tainted."));
  auto strict = with_f(kernel::strict);
  CHECK(refused(*strict, user(), errc::versions_missing, "simplify_symbols").os_errno() == e_inval);
  auto unversioned = with_f(kernel::unversioned);
  CHECK((loaded(*unversioned, user()).taints & taint_forced) == 0);
}

TEST_CASE("check_version: an exporter without CRCs is accepted") {
  auto h = make_host();
  h->symbols.kernel("f");
  builder b = user();
  b.version("f", 99);
  CHECK((loaded(*h, b).taints & taint_forced) == 0);
}

TEST_CASE("check_version: a last name without NUL ends with its entry") {
  auto h = with_f();
  builder b = user();
  b.version("f", right).version(std::string(60, 'x'), 1);
  loaded(*h, b);
}

} // namespace kmodld::test
