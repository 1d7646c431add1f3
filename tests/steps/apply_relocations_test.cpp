// SPDX-License-Identifier: MIT
// Which relocation sections are applied, what errors say, how init and exit are found.
#include "steps/support.hpp"

namespace kmodld::test {
namespace {
constexpr u32 r_64 = 1, r_pc32 = 2, r_32s = 11;

/// A module with a section of `size` zero bytes to relocate, and a symbol of this value.
struct place_builder {
  explicit place_builder(u64 value, std::size_t size = 16) {
    place = b.section(".data.place", elf::sht_progbits, elf::shf_alloc | elf::shf_write,
                      byte_vector(size), 8);
    symbol = b.symbol("target", elf::shn_abs, value);
  }
  builder b = simple_builder();
  u32 place = 0, symbol = 0;
};
section_attribute const& section(module const& m, std::string_view name) {
  for (section_attribute const& s : m.section_attributes)
    if (s.name == name)
      return s;
  FAIL("no section " << std::string{name});
  return m.section_attributes[0];
}
} // namespace

TEST_CASE("apply_relocations: init and exit come from the relocations of the module structure") {
  auto h = make_host();
  module& m = loaded(*h, simple_module());
  address const text = section(m, ".text").target;
  CHECK(m.init == text);
  CHECK(m.exit == text + 3);
  CHECK(h->invoker.called == std::vector<address>{text});
  // Symbols of these names elsewhere are nobody's business.
  builder b{"other"};
  u32 const code = b.text(bytes_of({0xc3}));
  b.function("init_module", code, 0);
  module& other = loaded(*h, b);
  CHECK(!other.init);
  CHECK(!other.exit);
}

TEST_CASE("apply_relocations: values, with target addresses that are no pointers") {
  for (kernel k : {kernel::v6_1, kernel::v6_12}) {
    auto h = make_host(k);
    place_builder p{0xffffffff81002000};
    p.b.rela(p.place, 0, r_64, p.symbol, 8);
    p.b.rela(p.place, 8, r_pc32, p.symbol, -4);
    p.b.rela(p.place, 12, r_32s, p.symbol, 1);
    module& m = loaded(*h, p.b);
    address const at = section(m, ".data.place").target;
    CHECK(read<u64>(m, at) == 0xffffffff81002008);
    CHECK(read<u32>(m, at + 8) == static_cast<u32>(0xffffffff81002000 - 4 - (at.value + 8)));
    CHECK(read<u32>(m, at + 12) == 0x81002001);
  }
}

TEST_CASE("apply_relocations: an error names section, entry, symbol and numbers") {
  auto h = make_host();
  place_builder p{0x123456789};
  p.b.rela(p.place, 0, r_64, p.symbol, 0);
  p.b.rela(p.place, 8, r_32s, p.symbol, 0);
  error e = refused(*h, p.b, errc::reloc_overflow, "apply_relocations");
  CHECK(e.os_errno() == e_noexec);
  CHECK(e.index == 1);
  CHECK(e.number[0] == r_32s);
  CHECK(e.number[1] == 0x123456789);
  CHECK(e.name(error::subject) == "target");
  CHECK(e.name(error::module) == "demo");
  auto f = p.b.build();
  CHECK(f.name(e.section) == ".rela.data.place");
  CHECK(h->tracer.undone_actions.front() == "free_modinfo");
}

TEST_CASE("apply_relocations: refusals") {
  auto h = make_host();
  place_builder unknown{0};
  unknown.b.rela(unknown.place, 0, 99, unknown.symbol, 0);
  CHECK(text_of(refused(*h, unknown.b, errc::reloc_unknown, "apply_relocations")) ==
        "demo: Unknown rela relocation: 99");
  for (u64 offset : {u64{9}, u64{16}, ~u64{0}, ~u64{7}}) {
    place_builder p{0};
    p.b.rela(p.place, offset, r_64, p.symbol, 0);
    CHECK(refused(*h, p.b, errc::reloc_offset, "apply_relocations").os_errno() == e_noexec);
  }
  place_builder symbol{0};
  symbol.b.rela(symbol.place, 0, r_64, 1000, 0);
  CHECK(refused(*h, symbol.b, errc::reloc_symbol, "apply_relocations").os_errno() == e_noexec);
  place_builder nonzero{0};
  nonzero.b.data(nonzero.place)[3] = std::byte{1};
  nonzero.b.rela(nonzero.place, 0, r_64, nonzero.symbol, 0);
  refused(*h, nonzero.b, errc::reloc_nonzero, "apply_relocations");
  place_builder tls{0};
  tls.b.rela(tls.place, 0, 23, tls.symbol, 0);
  refused(*h, tls.b, errc::reloc_tls, "apply_relocations");
  place_builder rel{0};
  rel.b.rel(rel.place, 0, r_64, rel.symbol);
  CHECK(refused(*h, rel.b, errc::reloc_kind, "apply_relocations").os_errno() == e_noexec);
}

TEST_CASE("apply_relocations: what is not kept is not relocated") {
  auto h = make_host();
  builder b = simple_builder();
  u32 const debug = b.section(".debug_info", elf::sht_progbits, 0, byte_vector(8));
  b.rela(debug, 1000, 99, 1000, 0); // would be refused three times over
  b.rel(debug, 0, 1, 0);
  loaded(*h, b);
}

TEST_CASE("apply_relocations: an unresolved weak symbol is 0 for data and refused for a branch") {
  auto h = make_host();
  builder data = simple_builder();
  u32 const place = data.section(".data.place", elf::sht_progbits, elf::shf_alloc | elf::shf_write,
                                 byte_vector(8), 8);
  u32 const weak = data.undefined("nobody", true);
  data.rela(place, 0, r_64, weak, 0);
  module& m = loaded(*h, data);
  CHECK(read<u64>(m, section(m, ".data.place").target) == 0);
  CHECK(h->unload("demo"));
  u32 const code = data.text(byte_vector(8), ".text.call");
  data.rela(code, 1, 4, weak, -4);
  error e = refused(*h, data, errc::reloc_weak_branch, "apply_relocations");
  CHECK(e.os_errno() == e_noexec);
  CHECK(e.name(error::subject) == "nobody");
}

TEST_CASE("apply_relocations: two sections for one target, the fault in the second") {
  // The second section goes the exact way over what the first has left.
  auto h = make_host();
  builder b = simple_builder();
  u32 const place = b.section(".data.place", elf::sht_progbits, elf::shf_alloc | elf::shf_write,
                              byte_vector(24), 8);
  u32 const symbol = b.symbol("target", elf::shn_abs, 0x123456789);
  b.rela(place, 0, r_64, symbol, 0);
  byte_vector second;
  auto entry = [&](u64 offset, u32 type) {
    elf::elf64_le::rela r{};
    r.r_offset = offset;
    r.r_info = u64{symbol} << 32 | type;
    auto const* p = reinterpret_cast<std::byte const*>(&r);
    second.insert(second.end(), p, p + sizeof r);
  };
  entry(8, r_64);
  entry(16, r_32s);
  b.section(".rela.second", elf::sht_rela, 0, second, 8, builder::link_to_symtab, place, 24);
  error e = refused(*h, b, errc::reloc_overflow, "apply_relocations");
  CHECK(e.index == 1);
  // A place that the first section has filled is told as such.
  second.clear();
  entry(16, r_64);
  entry(0, r_64);
  b.section(".rela.third", elf::sht_rela, 0, second, 8, builder::link_to_symtab, place, 24);
  auto f = b.build();
  f.section(".rela.second").sh_size = 0;
  e = refused(*h, f.bytes, errc::reloc_nonzero, "apply_relocations");
  CHECK(e.index == 1);
  CHECK(e.number[1] == 0x123456789);
}

} // namespace kmodld::test
