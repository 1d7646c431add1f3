// SPDX-License-Identifier: MIT
// elf/image.hpp: every refusal of elf_validity_check, numbered as the kernel does them, with the
// last good and the first bad value.
#include "elf/image_fixture.hpp"

#include <doctest/doctest.h>

using namespace kmodld;
using namespace kmodld::elf;
using namespace kmodld::test;

TEST_CASE_TEMPLATE("1: the header does not fit", F, KMODLD_ALL_FORMATS) {
  elf_file<F> f = sound<F>();
  constexpr std::size_t header = sizeof(typename F::ehdr);
  for (std::size_t n : {std::size_t{0}, std::size_t{4}, header - 1}) {
    byte_vector cut(f.bytes.begin(), f.bytes.begin() + static_cast<std::ptrdiff_t>(n));
    checked<F> c{cut};
    CHECK(c.code == errc::elf_header_len);
    CHECK(c.e.code == errc::elf_header_len);
    CHECK(c.e.number[0] == n);
    CHECK(c.e.os_errno() == e_noexec);
  }
  byte_vector whole(f.bytes.begin(), f.bytes.begin() + static_cast<std::ptrdiff_t>(header));
  CHECK(checked<F>{whole}.code == errc::elf_shdr_overflow);
}

TEST_CASE_TEMPLATE("2: magic, each byte", F, KMODLD_ALL_FORMATS) {
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(after<F>([i](auto& f) { f.header().e_ident[i] ^= 0x20; }).code == errc::elf_magic);
}

TEST_CASE_TEMPLATE("3: type", F, KMODLD_ALL_FORMATS) {
  for (u16 type : {u16{0}, u16{2}, u16{3}, u16{0x100}}) {
    checked<F> c = after<F>([type](auto& f) { f.header().e_type = type; });
    CHECK(c.code == errc::elf_type);
    CHECK(c.e.number[0] == type);
  }
}

TEST_CASE_TEMPLATE("4: machine, as the architecture decides", F, KMODLD_ALL_FORMATS) {
  checked<F> c = after<F>([](auto& f) { f.header().e_machine = 3; });
  CHECK(c.code == errc::elf_arch);
  CHECK(c.e.number[0] == 3);
}

TEST_CASE_TEMPLATE("5: size of a section header", F, KMODLD_ALL_FORMATS) {
  for (int size : {0, F::bits == 64 ? 40 : 64, static_cast<int>(sizeof(typename F::shdr)) + 1})
    CHECK(after<F>([size](auto& f) { f.header().e_shentsize = static_cast<u16>(size); }).code ==
          errc::elf_shentsize);
}

TEST_CASE_TEMPLATE("6: section headers beyond the file", F, KMODLD_ALL_FORMATS) {
  CHECK(after<F>([](auto& f) {
          f.header().e_shoff = static_cast<word_of<F>>(f.bytes.size());
        }).code == errc::elf_shdr_overflow);
  // Also where there is no header that would not fit.
  CHECK(after<F>([](auto& f) {
          f.header().e_shoff = static_cast<word_of<F>>(f.bytes.size());
          f.header().e_shnum = 0;
        }).code == errc::elf_shdr_overflow);
  CHECK(after<F>([](auto& f) { f.header().e_shoff = highest<F>; }).code == errc::elf_shdr_overflow);
  CHECK(after<F>([](auto& f) {
          f.header().e_shoff = static_cast<word_of<F>>(f.header().e_shoff + 1);
        }).code == errc::elf_shdr_overflow);
  CHECK(after<F>([](auto& f) { f.header().e_shnum = 9; }).code == errc::elf_shdr_overflow);
  CHECK(after<F>([](auto& f) { f.header().e_shnum = 0xffff; }).code == errc::elf_shdr_overflow);
  CHECK(after<F>([](auto& f) { f.bytes.pop_back(); }).code == errc::elf_shdr_overflow);
}

TEST_CASE_TEMPLATE("7: index of the section names", F, KMODLD_ALL_FORMATS) {
  for (u16 i : {u16{0}, u16{8}, u16{999}, u16{0xffff}}) {
    checked<F> c = after<F>([i](auto& f) { f.header().e_shstrndx = i; });
    CHECK(c.code == errc::elf_shstrndx);
    CHECK(c.e.number[0] == i);
    CHECK(c.e.number[1] == 8);
  }
  // No section at all: there is no index that would fit.
  CHECK(after<F>([](auto& f) { f.header().e_shnum = 0; }).code == errc::elf_shstrndx);
  CHECK(after<F>([](auto& f) { f.header().e_shnum = 7; }).code == errc::elf_shstrndx);
}

TEST_CASE_TEMPLATE("8: range of the section names, whatever their type", F, KMODLD_ALL_FORMATS) {
  for (u32 type : {u32{sht_strtab}, u32{sht_nobits}}) {
    checked<F> c = after<F>([type](auto& f) {
      f.section(7).sh_type = type;
      f.section(7).sh_offset = static_cast<word_of<F>>(f.bytes.size());
    });
    CHECK(c.code == errc::elf_shstrtab_range);
    CHECK(c.e.number[0] == type);
  }
  CHECK(after<F>([](auto& f) { f.section(7).sh_size = highest<F>; }).code ==
        errc::elf_shstrtab_range);
  CHECK(after<F>([](auto& f) {
          f.section(7).sh_offset = highest<F>;
          f.section(7).sh_size = 2;
        }).code == errc::elf_shstrtab_range);
}

TEST_CASE_TEMPLATE("8: names that end with the file are in range", F, KMODLD_ALL_FORMATS) {
  auto names_at_end = [](auto& f) {
    auto names = f.data(7);
    byte_vector copy(names.begin(), names.end());
    f.section(7).sh_offset = static_cast<word_of<F>>(f.bytes.size());
    f.bytes.insert(f.bytes.end(), copy.begin(), copy.end());
  };
  CHECK(after<F>(names_at_end).code == errc::ok);
  CHECK(after<F>([&](auto& f) {
          names_at_end(f);
          f.section(7).sh_offset = static_cast<word_of<F>>(f.section(7).sh_offset + 1);
        }).code == errc::elf_shstrtab_range);
}

TEST_CASE_TEMPLATE("9: empty section names", F, KMODLD_ALL_FORMATS) {
  CHECK(after<F>([](auto& f) { f.section(7).sh_size = 0; }).code == errc::elf_shstrtab_empty);
  CHECK(after<F>([](auto& f) {
          f.section(7).sh_size = 0;
          f.section(7).sh_offset = static_cast<word_of<F>>(f.bytes.size());
        }).code == errc::elf_shstrtab_empty);
}

TEST_CASE_TEMPLATE("10: section names without a last NUL", F, KMODLD_ALL_FORMATS) {
  CHECK(after<F>([](auto& f) { f.data(7).back() = std::byte{'x'}; }).code ==
        errc::elf_shstrtab_unterminated);
  CHECK(after<F>([](auto& f) {
          f.section(7).sh_size = static_cast<word_of<F>>(f.section(7).sh_size - 1);
        }).code == errc::elf_shstrtab_unterminated);
}

TEST_CASE_TEMPLATE("11: section 0 is null and has neither size nor address", F,
                   KMODLD_ALL_FORMATS) {
  checked<F> c = after<F>([](auto& f) { f.section(0u).sh_type = sht_progbits; });
  CHECK(c.code == errc::elf_section_zero);
  CHECK(c.e.number[0] == sht_progbits);
  CHECK(after<F>([](auto& f) { f.section(0u).sh_size = 1; }).code == errc::elf_section_zero);
  CHECK(after<F>([](auto& f) { f.section(0u).sh_addr = highest<F>; }).code ==
        errc::elf_section_zero);
  // Everything else of it is free.
  CHECK(after<F>([](auto& f) {
          f.section(0u).sh_flags = shf_alloc;
          f.section(0u).sh_offset = highest<F>;
          f.section(0u).sh_name = 0xffffffff;
          f.section(0u).sh_link = 99;
        }).code == errc::ok);
}

TEST_CASE_TEMPLATE("e_shoff 0 reads the header as sections, and is refused", F,
                   KMODLD_ALL_FORMATS) {
  checked<F> c = after<F>([](auto& f) { f.header().e_shoff = 0; });
  CHECK(c.code != errc::ok);
  CHECK(c.e.os_errno() == e_noexec);
}

TEST_CASE_TEMPLATE("12: link of a symbol table", F, KMODLD_ALL_FORMATS) {
  for (u32 link : {0u, 8u, 0xffffffffu}) {
    checked<F> c = after<F>([link](auto& f) { f.section(5).sh_link = link; });
    CHECK(c.code == errc::elf_sh_link);
    CHECK(c.e.number[0] == link);
    CHECK(c.e.number[1] == 8);
  }
  CHECK(after<F>([](auto& f) { f.section(5).sh_link = 7; }).code == errc::ok);
  // A second symbol table must have a sound link too.
  CHECK(after<F>([](auto& f) { f.section(3).sh_type = sht_symtab; }).code == errc::elf_sh_link);
}

TEST_CASE_TEMPLATE("12: sections beyond the file", F, KMODLD_ALL_FORMATS) {
  checked<F> c = after<F>([](auto& f) { f.section(3).sh_offset = 1 << 30; });
  CHECK(c.code == errc::elf_section_range);
  CHECK(c.e.section == 3);
  CHECK(c.e.number[0] == sht_progbits);
  CHECK(after<F>([](auto& f) {
          f.section(1).sh_offset = static_cast<word_of<F>>(highest<F> - 15);
        }).code == errc::elf_section_range);
  CHECK(after<F>([](auto& f) { f.section(1).sh_size = highest<F>; }).code ==
        errc::elf_section_range);
  // The sum wraps to a small number.
  CHECK(after<F>([](auto& f) {
          f.section(1).sh_offset = static_cast<word_of<F>>(highest<F> - 3);
          f.section(1).sh_size = 8;
        }).code == errc::elf_section_range);
  // The last byte of the file may be used, the next one not.
  auto to_end = [](auto& f, u64 more) {
    f.section(3).sh_size = static_cast<word_of<F>>(f.bytes.size() - f.section(3).sh_offset + more);
  };
  CHECK(after<F>([&](auto& f) { to_end(f, 0); }).code == errc::ok);
  CHECK(after<F>([&](auto& f) { to_end(f, 1); }).code == errc::elf_section_range);
}

TEST_CASE_TEMPLATE("12: NULL and NOBITS sections have no range and no data", F,
                   KMODLD_ALL_FORMATS) {
  for (u32 type : {u32{sht_null}, u32{sht_nobits}}) {
    checked<F> c = after<F>([type](auto& f) {
      f.section(3).sh_type = type;
      f.section(3).sh_offset = highest<F>;
      f.section(3).sh_size = highest<F>;
      f.section(3).sh_link = 99;
    });
    REQUIRE(c.code == errc::ok);
    CHECK(c.view.data(3).empty());
    CHECK(c.view.template entries<typename F::sym>(3).empty());
  }
}

TEST_CASE_TEMPLATE("12: names of sections", F, KMODLD_ALL_FORMATS) {
  auto end_of_names = [](auto& f) { return static_cast<u32>(f.section(7).sh_size); };
  for (u32 i : {1u, 3u}) {
    checked<F> c = after<F>([&](auto& f) { f.section(i).sh_name = end_of_names(f); });
    CHECK(c.code == errc::elf_section_name);
    CHECK(c.e.section == i);
    CHECK(c.e.number[0] == sht_progbits);
  }
  CHECK(after<F>([](auto& f) { f.section(1).sh_name = 0xffffffff; }).code ==
        errc::elf_section_name);
  checked<F> last = after<F>([&](auto& f) { f.section(1).sh_name = end_of_names(f) - 1; });
  REQUIRE(last.code == errc::ok);
  CHECK(last.view.name(1).empty());
}

TEST_CASE_TEMPLATE("beyond Linux: names of sections that are not kept, or NOBITS", F,
                   KMODLD_ALL_FORMATS) {
  for (u32 i : {2u, 4u, 5u, 6u, 7u}) {
    checked<F> c = after<F>([i](auto& f) { f.section(i).sh_name = 0x7fffffff; });
    CHECK(c.code == errc::elf_section_name);
    CHECK(c.e.section == i);
  }
  checked<F> null = after<F>([](auto& f) {
    f.section(3).sh_type = sht_null;
    f.section(3).sh_name = 0x7fffffff;
  });
  REQUIRE(null.code == errc::ok);
  CHECK(null.view.name(3).empty());
}

TEST_CASE_TEMPLATE("beyond Linux: a relocation section for no section", F, KMODLD_ALL_FORMATS) {
  for (u32 type : {u32{sht_rela}, u32{sht_rel}})
    for (u32 target : {8u, 999u, 0xffffffffu}) {
      checked<F> c = after<F>([&](auto& f) {
        f.section(4).sh_type = type;
        f.section(4).sh_info = target;
      });
      CHECK(c.code == errc::elf_reloc_target);
      CHECK(c.e.section == 4);
      CHECK(c.e.number[0] == target);
      CHECK(c.e.number[1] == 8);
    }
  CHECK(after<F>([](auto& f) { f.section(4).sh_info = 7; }).code == errc::ok);
  // sh_info means something else elsewhere.
  CHECK(after<F>([](auto& f) { f.section(3).sh_info = 999; }).code == errc::ok);
}
