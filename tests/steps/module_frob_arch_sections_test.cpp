// SPDX-License-Identifier: MIT
// Room for GOT and stubs, as sections of the loader's own.
#include "steps/support.hpp"

namespace kmodld::test {
TEST_CASE("module_frob_arch_sections: a GOT with one slot a symbol, filled with its value") {
  auto h = make_host();
  builder b = simple_builder();
  u32 const text = b.text(byte_vector(16), ".text.got");
  u32 const a = b.symbol("a", elf::shn_abs, 0x1111222233334444);
  u32 const c = b.symbol("c", elf::shn_abs, 0x5555);
  b.rela(text, 0, 9, a, -4); // R_X86_64_GOTPCREL
  b.rela(text, 4, 9, c, -4);
  b.rela(text, 8, 42, a, -4); // R_X86_64_REX_GOTPCRELX
  module& m = loaded(*h, b);
  section_attribute const* got = nullptr;
  section_attribute const* code = nullptr;
  for (section_attribute const& s : m.section_attributes) {
    got = s.name == ".got" ? &s : got;
    code = s.name == ".text.got" ? &s : code;
  }
  REQUIRE(got != nullptr);
  REQUIRE(code != nullptr);
  CHECK(got->bytes.size() == 16);
  CHECK(read<u64>(m, got->target) == 0x1111222233334444);
  CHECK(read<u64>(m, got->target + 8) == 0x5555);
  for (u64 place : {0u, 4u, 8u}) {
    u64 const slot = got->target.value + (place == 4 ? 8 : 0);
    CHECK(read<u32>(m, code->target + place) ==
          static_cast<u32>(slot - 4 - (code->target.value + place)));
  }
}

TEST_CASE("module_frob_arch_sections: none where nothing asks for it, or in what is not kept") {
  auto h = make_host();
  builder b = simple_builder();
  u32 const debug = b.section(".debug", elf::sht_progbits, 0, byte_vector(8));
  b.rela(debug, 0, 9, b.symbol("a", elf::shn_abs, 1), -4);
  for (section_attribute const& s : loaded(*h, b).section_attributes)
    CHECK(s.name != ".got");
}

} // namespace kmodld::test
