// SPDX-License-Identifier: MIT
// elf/image.hpp: what a view gives, the order of the checks, and that nothing is read outside.
#include "elf/image_fixture.hpp"

#include <doctest/doctest.h>

using namespace kmodld;
using namespace kmodld::elf;
using namespace kmodld::test;

TEST_CASE_TEMPLATE("a sound object is accepted and gives its sections", F, KMODLD_ALL_FORMATS) {
  elf_file<F> f = sound<F>();
  checked<F> c{f.view()};
  REQUIRE(c.code == errc::ok);
  CHECK(c.e.code == errc::ok);
  CHECK(c.view.section_count() == 8);
  CHECK(c.view.header().e_machine == our_machine);
  CHECK(c.view.bytes().data() == f.bytes.data());
  CHECK(c.view.name(0) == "");
  CHECK(c.view.name(1) == ".text");
  CHECK(c.view.name(4) == ".rela.text");
  CHECK(c.view.name(7) == ".shstrtab");
  CHECK(c.view.section(4).sh_info == 1);
  CHECK(c.view.section(4).sh_link == 5);
  CHECK(c.view.data(0).empty());
  CHECK(c.view.data(1).size() == 40);
  CHECK(c.view.section(2).sh_size == 1 << 20);
  CHECK(c.view.data(2).empty()); // NOBITS: nothing in the file
  REQUIRE(c.view.data(3).size() == 5);
  CHECK(c.view.data(3)[4] == std::byte{5});
}

TEST_CASE_TEMPLATE("tables are read in the file's byte order", F, KMODLD_ALL_FORMATS) {
  elf_file<F> f = sound<F>();
  checked<F> c{f.view()};
  REQUIRE(c.code == errc::ok);
  auto symbols = c.view.template entries<typename F::sym>(5);
  REQUIRE(symbols.size() == 2);
  CHECK(symbols[1].st_value == 8);
  CHECK(symbols[1].st_shndx == 1);
  CHECK(st_bind(symbols[1].st_info) == stb_global);
  CHECK(string_at(c.view.data(6), symbols[1].st_name) == "f");
  auto relocations = c.view.template entries<typename F::rela>(4);
  REQUIRE(relocations.size() == 1);
  CHECK(relocations[0].r_offset == 4);
  CHECK(F::r_sym(relocations[0].r_info) == 1);
  CHECK(F::r_type(relocations[0].r_info) == 2);
  CHECK(relocations[0].r_addend == -4);
}

TEST_CASE_TEMPLATE("bytes after the last whole entry are ignored", F, KMODLD_ALL_FORMATS) {
  elf_file<F> f = sound<F>();
  f.section(5).sh_size = static_cast<word_of<F>>(f.section(5).sh_size - 1);
  checked<F> c{f.view()};
  REQUIRE(c.code == errc::ok);
  CHECK(c.view.template entries<typename F::sym>(5).size() == 1);
}

TEST_CASE_TEMPLATE("what Linux does not look at does not matter", F, KMODLD_ALL_FORMATS) {
  checked<F> c = after<F>([](auto& f) {
    auto& h = f.header();
    h.e_ident[6] = 77; // EI_VERSION
    h.e_ident[7] = 9;  // EI_OSABI
    h.e_version = 5;
    h.e_flags = 0xffffffff;
    h.e_phnum = 9;
    h.e_ehsize = 0;
  });
  CHECK(c.code == errc::ok);
}

TEST_CASE_TEMPLATE("section headers at an odd offset are read", F, KMODLD_ALL_FORMATS) {
  checked<F> c = after<F>([](auto& f) {
    std::size_t shoff = static_cast<std::size_t>(f.header().e_shoff);
    f.bytes.insert(f.bytes.begin() + static_cast<std::ptrdiff_t>(shoff), std::byte{0xee});
    f.header().e_shoff = static_cast<word_of<F>>(shoff + 1);
  });
  REQUIRE(c.code == errc::ok);
  CHECK(c.view.name(1) == ".text");
  CHECK(c.view.section(3).sh_size == 5);
}

// Each later damage is there from the start; mending them in Linux's order shows one after another.
TEST_CASE_TEMPLATE("the first failing check decides", F, KMODLD_ALL_FORMATS) {
  elf_file<F> good = sound<F>();
  elf_file<F> f = good;
  u32 const bad_name = 0x7fffffff;
  f.section(2).sh_name = bad_name; // NOBITS: looked at last
  f.section(4).sh_info = 999;
  f.section(5).sh_link = 99;
  f.section(5).sh_offset = highest<F>;
  f.section(3).sh_name = bad_name;
  f.section(3).sh_offset = highest<F>;
  f.section(0u).sh_size = 4;
  f.data(7).back() = std::byte{'x'};
  auto const names = good.section(7);
  f.section(7).sh_size = 0;
  f.section(7).sh_offset = highest<F>;
  auto const shoff = good.header().e_shoff;
  auto& h = f.header();
  h.e_shstrndx = 99;
  h.e_shoff = highest<F>;
  h.e_shentsize = 1;
  h.e_machine = 1;
  h.e_type = 2;
  h.e_ident[0] = 0;
  auto now = [&f] { return checked<F>{f.view()}.code; };

  CHECK(now() == errc::elf_magic);
  h.e_ident[0] = 0x7f;
  CHECK(now() == errc::elf_type);
  h.e_type = et_rel;
  CHECK(now() == errc::elf_arch);
  h.e_machine = our_machine;
  CHECK(now() == errc::elf_shentsize);
  h.e_shentsize = sizeof(typename F::shdr);
  CHECK(now() == errc::elf_shdr_overflow);
  h.e_shoff = shoff;
  CHECK(now() == errc::elf_shstrndx);
  h.e_shstrndx = 7;
  CHECK(now() == errc::elf_shstrtab_range);
  f.section(7).sh_offset = names.sh_offset;
  CHECK(now() == errc::elf_shstrtab_empty);
  f.section(7).sh_size = names.sh_size;
  CHECK(now() == errc::elf_shstrtab_unterminated);
  f.data(7).back() = std::byte{0};
  CHECK(now() == errc::elf_section_zero);
  f.section(0u).sh_size = 0;
  CHECK(now() == errc::elf_section_range); // section 3: range before name
  f.section(3).sh_offset = good.section(3).sh_offset;
  CHECK(now() == errc::elf_section_name);
  f.section(3).sh_name = good.section(3).sh_name;
  CHECK(now() == errc::elf_sh_link); // section 5: link before range
  f.section(5).sh_link = 6;
  CHECK(now() == errc::elf_section_range);
  f.section(5).sh_offset = good.section(5).sh_offset;
  CHECK(now() == errc::elf_section_name); // section 2, after all that Linux refuses
  f.section(2).sh_name = good.section(2).sh_name;
  CHECK(now() == errc::elf_reloc_target);
  f.section(4).sh_info = 1;
  CHECK(now() == errc::ok);
}

TEST_CASE_TEMPLATE("every cut of a file, and every byte changed, is safe to look through", F,
                   KMODLD_ALL_FORMATS) {
  elf_file<F> good = sound<F>();
  auto walk = [](byte_view bytes) {
    checked<F> c{bytes};
    u64 sum = 0;
    if (c.code != errc::ok) {
      CHECK(c.e.code == c.code);
      CHECK(c.e.os_errno() == e_noexec);
      return sum;
    }
    for (u32 i = 0; i < c.view.section_count(); ++i) {
      sum += c.view.name(i).size();
      for (std::byte b : c.view.data(i))
        sum += static_cast<u64>(b);
      for (auto const& s : c.view.template entries<typename F::sym>(i))
        sum += s.st_value;
    }
    return sum;
  };
  u64 sum = 0;
  for (std::size_t n = 0; n <= good.bytes.size(); ++n)
    sum +=
        walk(byte_vector(good.bytes.begin(), good.bytes.begin() + static_cast<std::ptrdiff_t>(n)));
  for (std::size_t i = 0; i < good.bytes.size(); ++i)
    for (int v : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      byte_vector changed(good.bytes.begin(), good.bytes.end());
      changed[i] = static_cast<std::byte>(v);
      sum += walk(changed);
    }
  CHECK(sum > 0);
}
