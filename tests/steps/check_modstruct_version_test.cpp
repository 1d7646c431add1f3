// SPDX-License-Identifier: MIT
// The CRC of module_layout.
#include "steps/support.hpp"

namespace kmodld::test {
namespace {
std::unique_ptr<host> with_layout(kernel k = kernel::v6_1) {
  auto h = make_host(k);
  exported_symbol& s = h->symbols.kernel("module_layout");
  s.crc = 0x1111;
  s.has_crc = true;
  return h;
}
builder versioned(u32 crc) {
  builder b = simple_builder();
  b.version("module_layout", crc);
  return b;
}
} // namespace

TEST_CASE("check_modstruct_version: equal, different, not listed") {
  auto h = with_layout();
  loaded(*h, versioned(0x1111));
  CHECK((h->taints() & taint_forced) == 0);
  error e = refused(*h, versioned(0x2222), errc::version_layout, "check_modstruct_version");
  CHECK(e.os_errno() == e_noexec);
  CHECK(text_of(e) == "demo: disagrees about version of symbol module_layout");
  builder other = simple_builder("other");
  other.version("something", 1);
  refused(*h, other, errc::version_layout, "check_modstruct_version");
  CHECK(h->diagnostics.said("other: no symbol version for module_layout"));
}

TEST_CASE("check_modstruct_version: nothing to compare with") {
  auto h = make_host();
  loaded(*h, versioned(0x2222));
  auto unversioned = with_layout(kernel::unversioned);
  loaded(*unversioned, versioned(0x2222));
}

TEST_CASE("check_modstruct_version: no versions at all is forced, or refused") {
  auto h = with_layout();
  module& m = loaded(*h, simple_module());
  CHECK((m.taints & taint_forced) != 0);
  CHECK(h->diagnostics.said("demo: module_layout: kernel tainted."));
  loaded(*h, simple_module("second"));
  CHECK(h->diagnostics.count(errc::taint_forced) == 1);
  auto strict = with_layout(kernel::strict);
  refused(*strict, simple_module(), errc::version_layout, "check_modstruct_version");
  CHECK(strict->taints() == 0);
}

} // namespace kmodld::test
