// SPDX-License-Identifier: MIT
// What a module says of itself: version magic, origin, licence.
#include "steps/support.hpp"

namespace kmodld::test {
namespace {
constexpr auto magic = "6.1.0 SMP mod_unload modversions "sv;
builder with_magic(std::string_view m, bool versions = false) {
  builder b{"demo", "GPL", m};
  if (versions)
    b.version("something", 1);
  return b;
}
/// Without the tags that module_builder always writes.
byte_vector without(std::string_view tag) {
  auto f = simple_builder().build();
  std::string broken{tag};
  broken[0] = '_';
  f.replace(".modinfo", std::string{tag} + "=", broken + "=");
  return f.bytes;
}
} // namespace

TEST_CASE("check_modinfo: version magic") {
  auto h = make_host();
  h->settings().vermagic = magic;
  loaded(*h, with_magic(magic));
  error e = refused(*h, with_magic("6.2.0 SMP mod_unload modversions "), errc::vermagic_mismatch,
                    "layout_and_allocate");
  CHECK(e.os_errno() == e_noexec);
  CHECK(text_of(e) == "demo: version magic '6.2.0 SMP mod_unload modversions ' should be "
                      "'6.1.0 SMP mod_unload modversions '");
  // With versions the release does not count, the trailing space does.
  builder b = with_magic("6.2.0 SMP mod_unload modversions ", true);
  refused(*h, b, errc::module_exists, "add_unformed_module");
  refused(*h, with_magic("6.2.0 SMP mod_unload modversions", true), errc::vermagic_mismatch,
          "layout_and_allocate");
  // Ignoring versions brings the release back.
  refused(*h, b, errc::vermagic_mismatch, "layout_and_allocate", {}, {.ignore_modversions = true});
}

TEST_CASE("check_modinfo: magic missing or ignored") {
  auto h = make_host();
  h->settings().vermagic = magic;
  module& m = loaded(*h, without("vermagic"));
  CHECK((m.taints & taint_forced) != 0);
  CHECK(h->diagnostics.said("demo: bad vermagic: kernel tainted."));
  auto ignored = make_host();
  ignored->settings().vermagic = magic;
  CHECK((loaded(*ignored, with_magic("x"), {}, {.ignore_vermagic = true}).taints & taint_forced) !=
        0);
  auto strict = make_host(kernel::strict);
  strict->settings().vermagic = magic;
  CHECK(refused(*strict, without("vermagic"), errc::vermagic_missing, "layout_and_allocate")
            .os_errno() == e_noexec);
  refused(*strict, with_magic(magic), errc::vermagic_missing, "layout_and_allocate", {},
          {.ignore_vermagic = true});
}

TEST_CASE("check_modinfo: out of tree, staging, test") {
  auto h = make_host();
  CHECK((loaded(*h, without("intree")).taints & taint_out_of_tree) != 0);
  CHECK(h->diagnostics.said("demo: loading out-of-tree module taints kernel."));
  builder staging = simple_builder("staged");
  staging.modinfo("staging", "Y");
  CHECK((loaded(*h, staging).taints & taint_staging) != 0);
  CHECK(h->unload("staged"));
  loaded(*h, staging);
  CHECK(h->diagnostics.count(errc::taint_staging) == 2); // each time
  builder test = simple_builder("tested");
  test.modinfo("test", "Y");
  CHECK((loaded(*h, test).taints & taint_test) != 0);
  CHECK(h->unload("tested"));
  loaded(*h, test);
  CHECK(h->diagnostics.said("tested: loading test module taints kernel."));
  CHECK(h->diagnostics.count(errc::taint_test) == 1);
}

TEST_CASE("check_modinfo: licences") {
  auto h = make_host();
  for (auto free : {"GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL",
                    "Dual MPL/GPL"}) {
    CHECK((loaded(*h, simple_module("demo", free)).taints & taint_proprietary) == 0);
    CHECK(h->unload("demo"));
  }
  CHECK((h->taints() & taint_proprietary) == 0);
  CHECK((loaded(*h, simple_module("demo", "GPL v3")).taints & taint_proprietary) != 0);
  CHECK(h->diagnostics.said("demo: module license 'GPL v3' taints kernel."));
  CHECK((loaded(*h, simple_module("second", "BSD")).taints & taint_proprietary) != 0);
  CHECK(h->diagnostics.count(errc::taint_license) == 1);
  auto none = make_host();
  loaded(*none, without("license"));
  CHECK(none->diagnostics.said("demo: module license 'unspecified' taints kernel."));
}

TEST_CASE("check_modinfo: the retpoline tag") {
  auto h = make_host(kernel::options);
  loaded(*h, simple_module());
  CHECK(h->diagnostics.count(errc::retpoline_missing) == 0);
  CHECK(h->unload("demo"));
  CHECK(loaded(*h, without("retpoline")).taints == taint_unsigned);
  CHECK(h->diagnostics.said("demo: loading module not compiled with retpoline compiler."));
  auto plain = make_host();
  loaded(*plain, without("retpoline"));
  CHECK(plain->diagnostics.count(errc::retpoline_missing) == 0);
}

TEST_CASE("check_modinfo: live patches") {
  builder b = simple_builder("patch");
  b.modinfo("livepatch", "Y");
  auto without_support = make_host();
  error e = refused(*without_support, b, errc::livepatch_disabled, "layout_and_allocate");
  CHECK(e.os_errno() == e_noexec);
  CHECK(text_of(e) ==
        "patch: module is marked as livepatch module, but livepatch support is disabled");
  auto h = make_host(kernel::options);
  module& m = loaded(*h, b);
  CHECK(m.livepatch);
  CHECK((m.taints & taint_livepatch) != 0);
  CHECK(h->diagnostics.said("patch: tainting kernel with TAINT_LIVEPATCH"));
  CHECK(h->unload("patch"));
  loaded(*h, b);
  CHECK(h->diagnostics.count(errc::taint_livepatch) == 1);
}

} // namespace kmodld::test
