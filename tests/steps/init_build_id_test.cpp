// SPDX-License-Identifier: MIT
// The build id of a module.
#include "steps/support.hpp"

namespace kmodld::test {
TEST_CASE("init_build_id: the first kept note section that holds one") {
  auto h = make_host();
  byte_vector note = bytes_of({4, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0, 'G', 'N', 'U', 0, 1, 2, 3});
  builder b = simple_builder();
  b.section(".note.debug", elf::sht_note, 0, note, 4);
  b.section(".livepatch.depends", elf::sht_progbits, elf::shf_alloc, note, 4); // another program's
  b.section(".note.other", elf::sht_note, elf::shf_alloc, byte_vector(12), 4);
  note[18] = std::byte{9};
  b.section(".note.gnu.build-id", elf::sht_note, elf::shf_alloc, note, 4);
  module& m = loaded(*h, b);
  REQUIRE(m.build_id.size() == 3);
  CHECK(m.build_id[2] == std::byte{9});
  CHECK(loaded(*h, simple_module("other")).build_id.empty());
}

} // namespace kmodld::test
