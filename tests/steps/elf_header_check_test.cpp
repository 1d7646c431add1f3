// SPDX-License-Identifier: MIT
// The checked view as a step; elf/image_test.cpp has the single refusals.
#include "steps/support.hpp"

namespace kmodld::test {
TEST_CASE("elf_header_check: refusals carry code, numbers and the step") {
  auto h = make_host();
  auto file = simple_builder().build();
  file.header().e_type = 2;
  error e = refused(*h, file.bytes, errc::elf_type, "elf_header_check");
  CHECK(e.os_errno() == e_noexec);
  CHECK(text_of(e) == "Invalid ELF header type: 2 != 1");
  CHECK(h->diagnostics.count(errc::elf_type) == 1);
  CHECK(h->allocator.requests() == 0);
}

TEST_CASE("elf_header_check: 63 bytes are too few") {
  auto h = make_host();
  byte_vector image = simple_module();
  image.resize(63);
  image.shrink_to_fit();
  CHECK(refused(*h, image, errc::elf_header_len, "elf_header_check").number[0] == 63);
}

} // namespace kmodld::test
