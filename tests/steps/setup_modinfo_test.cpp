// SPDX-License-Identifier: MIT
// version and srcversion outlive the image.
#include "steps/support.hpp"

namespace kmodld::test {
TEST_CASE("setup_modinfo: kept, or null where the tag is missing") {
  auto h = make_host();
  builder b = simple_builder();
  b.modinfo("version", "1.2.3").modinfo("srcversion", "");
  byte_vector image = image_of(b);
  module& m = loaded(*h, image);
  std::fill(image.begin(), image.end(), std::byte{0xee});
  CHECK(m.version == "1.2.3");
  CHECK(m.srcversion.empty());
  CHECK(m.srcversion.data() != nullptr);
  module& other = loaded(*h, simple_module("other"));
  CHECK(other.version.data() == nullptr);
  CHECK(other.srcversion.data() == nullptr);
}

TEST_CASE("setup_modinfo: without memory they are missing, the load goes on") {
  auto h = make_host();
  builder b = simple_builder();
  b.modinfo("version", "1");
  after(*h, "check_module_license_and_versions", [&](module&) { h->allocator.fail_at(1); });
  CHECK(loaded(*h, b).version.data() == nullptr);
}

} // namespace kmodld::test
