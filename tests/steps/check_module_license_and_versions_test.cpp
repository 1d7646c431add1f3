// SPDX-License-Identifier: MIT
// Names that taint, exports without versions.
#include "steps/support.hpp"

namespace kmodld::test {
TEST_CASE("check_module_license_and_versions: names") {
  struct {
    char const* name;
    bool module;
  } const rows[] = {{"ndiswrapper", false}, {"driverloader", true}, {"lve", true}};
  for (auto const& r : rows) {
    auto h = make_host();
    module& m = loaded(*h, simple_module(r.name));
    CHECK(((m.taints & taint_proprietary) != 0) == r.module);
    CHECK((h->taints() & taint_proprietary) != 0);
    CHECK(h->diagnostics.said(std::string{r.name} + ": module license taints kernel."));
  }
  auto h = make_host();
  loaded(*h, simple_module("lve2"));
  CHECK((h->taints() & taint_proprietary) == 0);
}

TEST_CASE("check_module_license_and_versions: ndiswrapper taints the kernel alone") {
  auto h = make_host();
  loaded(*h, simple_module("ndiswrapper"));
  CHECK((loaded(*h, simple_module("later")).taints & taint_proprietary) == 0);
  CHECK(h->diagnostics.count(errc::taint_license_name) == 1);
}

TEST_CASE("check_module_license_and_versions: exports without CRCs") {
  for (bool gpl : {false, true}) {
    byte_vector const image = exporting_module("demo", "f", gpl, "GPL", {}, 0);
    auto h = make_host();
    CHECK((loaded(*h, image).taints & taint_forced) != 0);
    CHECK(h->diagnostics.said("demo: no versions for exported symbols: kernel tainted."));
    auto strict = make_host(kernel::strict);
    error e = refused(*strict, image, errc::exports_without_versions,
                      "check_module_license_and_versions");
    CHECK(e.os_errno() == e_noexec);
    auto unversioned = make_host(kernel::unversioned);
    CHECK((loaded(*unversioned, image).taints & taint_forced) == 0);
  }
}

} // namespace kmodld::test
