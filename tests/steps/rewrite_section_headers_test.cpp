// SPDX-License-Identifier: MIT
// Sections that lose SHF_ALLOC are never kept.
#include "steps/support.hpp"

namespace kmodld::test {
TEST_CASE("rewrite_section_headers: tags and versions are not kept") {
  auto h = make_host();
  builder b = simple_builder();
  b.version("something", 1);
  for (auto name : {"__version_ext_crcs", "__version_ext_names"})
    b.section(name, elf::sht_progbits, elf::shf_alloc, byte_vector(4));
  b.rodata(byte_vector(4));
  module& m = loaded(*h, b);
  unsigned rodata = 0;
  for (section_attribute const& s : m.section_attributes) {
    for (auto gone : {".modinfo", "__versions", "__version_ext_crcs", "__version_ext_names"})
      CHECK(s.name != gone);
    rodata += s.name == ".rodata" ? 1 : 0;
  }
  CHECK(rodata == 1);
}

TEST_CASE("rewrite_section_headers: ignored versions stay an ordinary section") {
  auto h = make_host();
  builder b = simple_builder();
  b.version("something", 1);
  module& m = loaded(*h, b, {}, {.ignore_modversions = true});
  bool kept = false;
  for (section_attribute const& s : m.section_attributes)
    kept = kept || s.name == "__versions";
  CHECK(kept);
}

} // namespace kmodld::test
