// SPDX-License-Identifier: MIT
// Which section goes where, worked out by hand after layout_sections and layout_symtab of Linux 6.1
// (core and init) and of 6.4 and later (seven kinds).
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/layout/layout.hpp>

#include "support/elf_builder.hpp"

#include <doctest/doctest.h>

using namespace kmodld;

namespace {

constexpr u64 alloc = elf::shf_alloc, writable = elf::shf_write, code = elf::shf_execinstr,
              sealed = elf::shf_ro_after_init;
constexpr u8 nowhere = section_entry::nowhere;

struct no_unload : abi::linux_6_1 {
  static constexpr bool module_unload = false;
};
struct functions : abi::linux_6_1 {
  static constexpr bool kallsyms_all = false;
};
struct no_rwx : abi::linux_6_1 {
  static constexpr bool strict_rwx = false;
};

/// Sections from number 1 on, and their layout.
struct plan {
  std::vector<section_entry> entries = std::vector<section_entry>(1);
  section_table table;
  module_layout out;
  u32 culprit = 0;

  u32 add(std::string_view name, u64 flags, u64 size, u64 align = 1, u32 type = elf::sht_progbits) {
    entries.push_back({.flags = flags, .size = size, .align = align, .type = type, .name = name});
    return static_cast<u32>(entries.size() - 1);
  }
  template <class Abi>
  bool place() {
    ready();
    return layout_builder<arch::x86_64, Abi>{table, out}.place_sections(culprit);
  }
  void ready() {
    table.all = entries;
    table.used = table.file_count = static_cast<u32>(entries.size());
    out = {};
  }
  section_entry const& operator[](u32 i) const { return entries[i]; }
};

/// Every class of section once, small ones, in an order that is not that of the layout.
struct sample : plan {
  u32 data = add(".data", alloc | writable, 0x30, 32);
  u32 text = add(".text", alloc | code, 0x101, 16);
  u32 init_data = add(".init.data", alloc | writable, 0x11, 8);
  u32 rodata = add(".rodata", alloc, 0x21, 8);
  u32 bss = add(".bss", alloc | writable, 0x1001, 64, elf::sht_nobits);
  u32 init_text = add(".init.text", alloc | code, 0x13, 16);
  u32 comment = add(".comment", 0, 0x100, 1);
  u32 sealed_data = add(".data..ro_after_init", alloc | writable | sealed, 0x18, 8);
  u32 more_text = add(".text.unlikely", alloc | code, 0x7, 2);
  u32 init_rodata = add(".init.rodata", alloc, 0x9, 1);
  u32 exit_text = add(".exit.text", alloc | code, 0x5, 1);
};

} // namespace

TEST_CASE("core and init: text, read-only, read-only after init, writable; ends on pages") {
  sample p;
  REQUIRE(p.place<abi::linux_6_1>());
  CHECK(p.out.count == 2);
  auto const& core = p.out.parts[0];
  auto const& init = p.out.parts[1];
  CHECK(core.kind == memory_kind::core);
  CHECK(init.kind == memory_kind::init);

  CHECK(p[p.text].memory == 0);
  CHECK(p[p.text].offset == 0);
  CHECK(p[p.more_text].offset == 0x102); // aligned to 2
  CHECK(p[p.exit_text].offset == 0x109);
  CHECK(core.text_size == 0x1000);
  CHECK(p[p.rodata].offset == 0x1000);
  CHECK(core.ro_size == 0x2000);
  CHECK(p[p.sealed_data].offset == 0x2000);
  CHECK(core.ro_after_init_size == 0x3000);
  CHECK(p[p.data].offset == 0x3000);
  CHECK(p[p.bss].offset == 0x3040); // aligned to 64, with all its size
  CHECK(core.size == 0x5000);       // 0x4041, on a page since mask 4 ends there

  CHECK(p[p.init_text].memory == 1);
  CHECK(p[p.init_text].offset == 0);
  CHECK(init.text_size == 0x1000);
  CHECK(p[p.init_rodata].offset == 0x1000);
  CHECK(init.ro_size == 0x2000);
  CHECK(init.ro_after_init_size == 0x2000);
  CHECK(p[p.init_data].offset == 0x2000);
  CHECK(init.size == 0x3000);
  CHECK(p[p.comment].memory == nowhere);
}

TEST_CASE("core and init: empty parts share their ends, nothing gives nothing") {
  plan p;
  u32 const data = p.add(".data", alloc | writable, 8, 8);
  REQUIRE(p.place<abi::linux_6_1>());
  CHECK(p.out.parts[0].text_size == 0);
  CHECK(p.out.parts[0].ro_size == 0);
  CHECK(p.out.parts[0].ro_after_init_size == 0);
  CHECK(p[data].offset == 0);
  CHECK(p.out.parts[0].size == 0x1000);
  CHECK(p.out.parts[1].size == 0);

  plan none;
  REQUIRE(none.place<abi::linux_6_1>());
  CHECK(none.out.parts[0].size == 0);
}

TEST_CASE("core and init without STRICT_MODULE_RWX: nothing is rounded") {
  sample p;
  REQUIRE(p.place<no_rwx>());
  auto const& core = p.out.parts[0];
  CHECK(core.text_size == 0x10e);
  CHECK(p[p.rodata].offset == 0x110);
  CHECK(core.ro_size == 0x131);
  CHECK(p[p.sealed_data].offset == 0x138);
  CHECK(core.ro_after_init_size == 0x150);
  CHECK(p[p.data].offset == 0x160);
  CHECK(p[p.bss].offset == 0x1c0);
  CHECK(core.size == 0x11c1);
}

TEST_CASE("seven kinds: by class, nothing rounded") {
  sample p;
  REQUIRE(p.place<abi::linux_6_12>());
  CHECK(p.out.count == 7);
  constexpr memory_kind kinds[] = {memory_kind::text,       memory_kind::data,
                                   memory_kind::rodata,     memory_kind::ro_after_init,
                                   memory_kind::init_text,  memory_kind::init_data,
                                   memory_kind::init_rodata};
  for (u8 i = 0; i < 7; ++i) {
    CHECK(p.out.parts[i].kind == kinds[i]);
    CHECK(p.out.parts[i].text_size == 0);
    CHECK(p.out.parts[i].ro_size == 0);
    CHECK(p.out.parts[i].ro_after_init_size == 0);
  }
  CHECK(p[p.text].memory == 0);
  CHECK(p[p.data].memory == 1);
  CHECK(p[p.bss].memory == 1);
  CHECK(p[p.rodata].memory == 2);
  CHECK(p[p.sealed_data].memory == 3);
  CHECK(p[p.init_text].memory == 4);
  CHECK(p[p.init_data].memory == 5);
  CHECK(p[p.init_rodata].memory == 6);
  CHECK(p[p.comment].memory == nowhere);
  u64 const sizes[] = {0x10e, 0x40 + 0x1001, 0x21, 0x18, 0x13, 0x11, 0x9};
  for (u8 i = 0; i < 7; ++i)
    CHECK(p.out.parts[i].size == sizes[i]);
  CHECK(p[p.more_text].offset == 0x102);
  CHECK(p[p.exit_text].offset == 0x109);
  CHECK(p[p.bss].offset == 0x40);
}

TEST_CASE("read-only after init has no init form: such a section is init data") {
  for (bool seven : {false, true}) {
    plan p;
    u32 const s = p.add(".init.sealed", alloc | writable | sealed, 8, 8);
    REQUIRE((seven ? p.place<abi::linux_6_12>() : p.place<abi::linux_6_1>()));
    CHECK(p[s].memory == (seven ? 5 : 1));
  }
}

TEST_CASE("an executable section that is writable is text, a read-only one after init that is not "
          "writable is read-only") {
  plan p;
  u32 const both = p.add(".both", alloc | writable | code, 8);
  u32 const constant = p.add(".constant", alloc | sealed, 8);
  REQUIRE(p.place<abi::linux_6_12>());
  CHECK(p[both].memory == 0);
  CHECK(p[constant].memory == 2);
}

TEST_CASE("names of init sections") {
  using arch = arch::x86_64;
  for (std::string_view name : {".init", ".init.text", ".init.data", ".initfoo", ".init_array"})
    CHECK((is_init_section<arch, abi::linux_6_1>(name)));
  for (std::string_view name : {"", ".ini", "init.text", ".text.init", ".exit.text", ".data"})
    CHECK(!(is_init_section<arch, abi::linux_6_1>(name)));
  CHECK((is_init_section<arch, no_unload>(".exit.text")));
  CHECK((is_init_section<arch, no_unload>(".init.text")));
  CHECK(!(is_init_section<arch, no_unload>(".text")));

  sample p;
  REQUIRE(p.place<no_unload>());
  CHECK(p[p.exit_text].memory == 1);
}

TEST_CASE("alignments: none, powers of two, and odd ones as Linux's ALIGN has them") {
  plan p;
  p.add(".data", alloc | writable, 5, 0);
  u32 const zero = p.add(".zero", alloc | writable, 1, 0);
  u32 const large = p.add(".large", alloc | writable, 1, 0x1000);
  u32 const odd = p.add(".odd", alloc | writable, 1, 3);
  REQUIRE(p.place<abi::linux_6_12>());
  CHECK(p[zero].offset == 5);
  CHECK(p[large].offset == 0x1000);
  // (0x1001 + 2) & ~2
  CHECK(p[odd].offset == 0x1001);
}

TEST_CASE("a region beyond 2 GiB is refused, and the section told") {
  constexpr u64 limit = u64{1} << 31;
  struct row {
    u64 size, align;
    bool good;
  };
  for (row r : {row{limit - 0x1000, 1, true}, row{limit, 1, true}, row{limit + 1, 1, false},
                row{~u64{0}, 1, false}, row{u64{1} << 63, 1, false}, row{8, limit, true},
                row{8, limit * 2, false}, row{8, u64{1} << 63, false}, row{8, ~u64{0}, false}}) {
    CAPTURE(r.size);
    CAPTURE(r.align);
    plan p;
    u32 const s = p.add(".data", alloc | writable, r.size, r.align);
    CHECK(p.place<abi::linux_6_12>() == r.good);
    if (!r.good)
      CHECK(p.culprit == s);
  }
  // Each fits, together they do not; what wraps in 32 bits would look small.
  plan p;
  p.add(".a", alloc | writable, limit - 8, 1);
  p.add(".b", alloc | writable, 8, 1);
  u32 const third = p.add(".c", alloc | writable, 1, 1);
  CHECK(!p.place<abi::linux_6_12>());
  CHECK(p.culprit == third);
  // A padding that leads over the limit.
  plan padded;
  padded.add(".a", alloc | writable, 1, 1);
  u32 const far = padded.add(".b", alloc | writable, 1, limit);
  CHECK(!padded.place<abi::linux_6_12>());
  CHECK(padded.culprit == far);
}

TEST_CASE("symbol and string table, the kept symbols and the letters") {
  for (bool seven : {false, true}) {
    CAPTURE(seven);
    plan p;
    u32 const data = p.add(".data", alloc | writable, 0x31, 8);
    p.add(".init.data", alloc | writable, 0x11, 8);
    u32 const sym = p.add(".symtab", 0, 5 * 24, 8, elf::sht_symtab);
    u32 const str = p.add(".strtab", 0, 0x33, 1, elf::sht_strtab);
    auto kept = [](u32 i) { return i == 2 || i == 4; };
    auto name_size = [](u32 i) { return u64{i} * 2 + 1; };
    auto lay = [&](auto builder) {
      return builder.place_sections(p.culprit) &&
             builder.place_symtab(sym, str, 5, 24, 8, kept, name_size);
    };
    p.ready();
    REQUIRE((seven ? lay(layout_builder<arch::x86_64, abi::linux_6_12>{p.table, p.out})
                   : lay(layout_builder<arch::x86_64, abi::linux_6_1>{p.table, p.out})));
    auto const& places = p.out.symtab;
    auto const& core = p.out.parts[places.core];
    auto const& init = p.out.parts[places.init];
    CHECK(places.core == (seven ? 1 : 0));
    CHECK(places.init == (seven ? 5 : 1));
    CHECK(p[data].memory == places.core);

    // Both tables are kept now, at the end of init data: after its rounded end in core and init.
    u64 const init_end = seven ? 0x11 : 0x1000;
    CHECK(p[sym].allocated());
    CHECK(p[str].allocated());
    CHECK(p[sym].memory == places.init);
    CHECK(p[sym].offset == round_up(init_end, u64{8}));
    CHECK(p[str].offset == p[sym].offset + 120);
    // Linux's struct mod_kallsyms of four words comes first, then a byte a symbol.
    CHECK(places.init_types == round_up(p[str].offset + 0x33, u64{8}) + 32);
    CHECK(init.size ==
          (seven ? places.init_types + 5 : round_up(places.init_types + 5, u64{4096})));

    // Symbol 0, 2 and 4 with names of 1, 5 and 9 bytes.
    u64 const core_end = seven ? 0x31 : 0x1000;
    CHECK(places.kept == 3);
    CHECK(places.core_symbols == round_up(core_end, u64{8}));
    CHECK(places.core_strings == places.core_symbols + 3 * 24);
    CHECK(places.core_strings_size == 1 + 5 + 9);
    CHECK(places.core_types == places.core_strings + 15);
    CHECK(core.size == (seven ? places.core_types + 3 : u64{0x2000}));
  }
}

TEST_CASE("symbol table: too large, or names shared beyond reason") {
  auto lay = [](u64 sym_size, u64 str_size, u64 one_name) {
    plan p;
    u32 const sym = p.add(".symtab", 0, sym_size, 8, elf::sht_symtab);
    u32 const str = p.add(".strtab", 0, str_size, 1, elf::sht_strtab);
    p.ready();
    layout_builder<arch::x86_64, abi::linux_6_1> builder{p.table, p.out};
    return builder.place_symtab(
        sym, str, 1000, 24, 8, [](u32) { return true; }, [&](u32) { return one_name; });
  };
  CHECK(lay(24000, 1000, 10));
  CHECK(!lay((u64{1} << 31) + 1, 1000, 10));
  CHECK(!lay(24000, (u64{1} << 31) + 1, 10));
  CHECK(lay(24000, 1000, 81));    // 81,000 bytes: 16 * 1000 + 65536 are allowed
  CHECK(!lay(24000, 1000, 82));   // 82,000
  CHECK(!lay(24000, 1000, 1000)); // every symbol has the whole table as its name
}

TEST_CASE("which symbols stay") {
  using all = abi::linux_6_1;
  sample p;
  u32 const pcpu = p.add(".data..percpu", writable, 8, 8);
  REQUIRE(p.place<abi::linux_6_1>());
  auto stays = [&]<class Abi>(u32 shndx, u32 name, Abi) {
    elf::elf64_le::sym s{};
    s.st_shndx = static_cast<u16>(shndx);
    s.st_name = name;
    return is_core_symbol<arch::x86_64, Abi>(s, p.table, pcpu);
  };
  for (u32 s : {p.text, p.data, p.rodata, p.bss, p.sealed_data, pcpu})
    CHECK(stays(s, 1, all{}));
  for (u32 s : {p.init_text, p.init_data, p.comment})
    CHECK(!stays(s, 1, all{}));
  CHECK(stays(p.text, 1, functions{}));
  for (u32 s : {p.data, p.rodata, p.init_text, pcpu})
    CHECK(!stays(s, 1, functions{}));
  for (u32 shndx : {0u, 0xfff1u, 0xfff2u, 0xff20u, p.table.file_count, 0xfeffu})
    CHECK(!stays(shndx, 1, all{}));
  CHECK(!stays(p.text, 0, all{})); // without a name
}

TEST_CASE("which symbols stay, in seven kinds: those of the first four") {
  sample p;
  REQUIRE(p.place<abi::linux_6_12>());
  for (u32 i : {p.text, p.data, p.rodata, p.sealed_data, p.init_text, p.init_data, p.init_rodata}) {
    elf::elf64_le::sym s{};
    s.st_shndx = static_cast<u16>(i);
    s.st_name = 1;
    CHECK(is_core_symbol<arch::x86_64, abi::linux_6_12>(s, p.table, 0) == (p[i].memory < 4));
  }
}

TEST_CASE("section table: read from an image, found by name") {
  test::elf_builder<elf::elf64_le> b{62};
  u32 const text = b.section(".text", elf::sht_progbits, alloc | code, test::byte_vector(8), 16);
  u32 const twin = b.section(".twin", elf::sht_progbits, 0, test::byte_vector(4), 1);
  u32 const kept = b.section(".twin", elf::sht_progbits, alloc, test::byte_vector(5), 4);
  auto const file = b.build();
  elf::image<elf::elf64_le> image;
  error e;
  REQUIRE(elf::image<elf::elf64_le>::check(
              file.view(), [](auto const&) { return true; }, image, e) == errc::ok);
  std::vector<section_entry> entries(image.section_count() + 2);
  section_table table{.all = entries};
  read_sections(image, table);
  CHECK(table.used == image.section_count());
  CHECK(table.file_count == image.section_count());
  CHECK(table[text].name == ".text");
  CHECK(table[text].flags == (alloc | code));
  CHECK(table[text].size == 8);
  CHECK(table[text].align == 16);
  CHECK(table[text].type == elf::sht_progbits);
  CHECK(!table[text].placed());
  CHECK(table.find(".twin") == kept);
  CHECK(table.find_any(".twin") == twin);
  CHECK(table.find(".none") == 0);
  CHECK(table.find_any(".none") == 0);
}
