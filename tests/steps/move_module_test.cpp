// SPDX-License-Identifier: MIT
// Regions and copies.
#include "steps/support.hpp"

namespace kmodld::test {
TEST_CASE("move_module: sections lie where their addresses say, the rest is zero") {
  for (kernel k : {kernel::v6_1, kernel::v6_12}) {
    auto h = make_host(k);
    builder b = simple_builder();
    b.rodata(bytes_of("constant"));
    b.writable(bytes_of("variable"));
    b.nobits(".bss", elf::shf_alloc | elf::shf_write, 40);
    module& m = loaded(*h, b);
    unsigned found = 0;
    for (section_attribute const& s : m.section_attributes) {
      if (s.name == ".symtab" || s.name == ".strtab")
        continue; // init memory, gone
      CHECK(m.host(s.target, s.bytes.size()) == s.bytes.data());
      CHECK(m.in_text(s.target, s.bytes.size()) == (s.name == ".text"));
      if (s.name == ".rodata")
        found += as_text(s.bytes) == "constant";
      if (s.name == ".data")
        found += as_text(s.bytes) == "variable";
      if (s.name == ".bss")
        found += as_text(s.bytes) == std::string(40, '\0');
    }
    CHECK(found == 3);
  }
}

TEST_CASE("move_module: whole pages, in reach of each other and of the window") {
  auto h = make_host();
  h->settings().module_window = {{0xffffffffc0000000}, {0xffffffffc0205fff}};
  loaded(*h, simple_builder());
  for (auto const& e : h->allocator.trace())
    if (e.kind <= memory_kind::init)
      CHECK(e.size % 4096 == 0);
  refused(*h, simple_module("second"), errc::out_of_reach, "layout_and_allocate");
}

} // namespace kmodld::test
