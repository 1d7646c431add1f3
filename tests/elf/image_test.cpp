// SPDX-License-Identifier: MIT
// elf/image.hpp: every refusal of elf_validity_check in its order, and what a view gives.
#include <kmodld/elf/image.hpp>

#include "support/elf_builder.hpp"

#include <doctest/doctest.h>

using namespace kmodld;
using namespace kmodld::elf;
using namespace kmodld::test;

#define ALL_FORMATS elf64_le, elf64_be, elf32_le, elf32_be

namespace {

constexpr u16 our_machine = 62;

template <class F>
struct checked {
  image<F> view;
  error e;
  errc code;

  explicit checked(byte_view bytes)
      : code{image<F>::check(
            bytes, [](auto const& h) { return h.e_machine == our_machine; }, view, e)} {}
};

/// 1 .text, 2 .bss, 3 .data, 4 .rela.text, 5 .symtab, 6 .strtab, 7 .shstrtab
template <class F>
elf_file<F> sound() {
  elf_builder<F> b{our_machine};
  u32 text = b.section(".text", sht_progbits, shf_alloc | shf_execinstr, byte_vector(40), 16);
  b.nobits(".bss", shf_alloc | shf_write, 1 << 20, 32);
  b.section(".data", sht_progbits, shf_alloc | shf_write, bytes_of({1, 2, 3, 4, 5}));
  u32 f = b.symbol("f", text, 8);
  b.rela(text, 4, 2, f, -4);
  return b.build();
}

template <class F>
using word_of = typename F::word_type;

template <class F>
constexpr word_of<F> highest = static_cast<word_of<F>>(~word_of<F>{0});

/// What check() says of a sound file after `damage`.
template <class F, class Damage>
checked<F> after(Damage damage) {
  elf_file<F> f = sound<F>();
  damage(f);
  // A copy of exact size, so that a sanitizer sees a read of the first byte beyond.
  static byte_vector kept;
  kept = byte_vector(f.bytes.begin(), f.bytes.end());
  return checked<F>{kept};
}

} // namespace

TEST_CASE_TEMPLATE("a sound object is accepted and gives its sections", F, ALL_FORMATS) {
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

TEST_CASE_TEMPLATE("tables are read in the file's byte order", F, ALL_FORMATS) {
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

TEST_CASE_TEMPLATE("bytes after the last whole entry are ignored", F, ALL_FORMATS) {
  elf_file<F> f = sound<F>();
  f.section(5).sh_size = static_cast<word_of<F>>(f.section(5).sh_size - 1);
  checked<F> c{f.view()};
  REQUIRE(c.code == errc::ok);
  CHECK(c.view.template entries<typename F::sym>(5).size() == 1);
}

TEST_CASE_TEMPLATE("1: the header does not fit", F, ALL_FORMATS) {
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

TEST_CASE_TEMPLATE("2: magic, each byte", F, ALL_FORMATS) {
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(after<F>([i](auto& f) { f.header().e_ident[i] ^= 0x20; }).code == errc::elf_magic);
}

TEST_CASE_TEMPLATE("3: type", F, ALL_FORMATS) {
  for (u16 type : {u16{0}, u16{2}, u16{3}, u16{0x100}}) {
    checked<F> c = after<F>([type](auto& f) { f.header().e_type = type; });
    CHECK(c.code == errc::elf_type);
    CHECK(c.e.number[0] == type);
  }
}

TEST_CASE_TEMPLATE("4: machine, as the architecture decides", F, ALL_FORMATS) {
  checked<F> c = after<F>([](auto& f) { f.header().e_machine = 3; });
  CHECK(c.code == errc::elf_arch);
  CHECK(c.e.number[0] == 3);
}

TEST_CASE_TEMPLATE("what Linux does not look at does not matter", F, ALL_FORMATS) {
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

TEST_CASE_TEMPLATE("5: size of a section header", F, ALL_FORMATS) {
  for (int size : {0, F::bits == 64 ? 40 : 64, static_cast<int>(sizeof(typename F::shdr)) + 1})
    CHECK(after<F>([size](auto& f) { f.header().e_shentsize = static_cast<u16>(size); }).code ==
          errc::elf_shentsize);
}

TEST_CASE_TEMPLATE("6: section headers beyond the file", F, ALL_FORMATS) {
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

TEST_CASE_TEMPLATE("section headers at an odd offset are read", F, ALL_FORMATS) {
  checked<F> c = after<F>([](auto& f) {
    std::size_t shoff = static_cast<std::size_t>(f.header().e_shoff);
    f.bytes.insert(f.bytes.begin() + static_cast<std::ptrdiff_t>(shoff), std::byte{0xee});
    f.header().e_shoff = static_cast<word_of<F>>(shoff + 1);
  });
  REQUIRE(c.code == errc::ok);
  CHECK(c.view.name(1) == ".text");
  CHECK(c.view.section(3).sh_size == 5);
}

TEST_CASE_TEMPLATE("7: index of the section names", F, ALL_FORMATS) {
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

TEST_CASE_TEMPLATE("8: range of the section names, whatever their type", F, ALL_FORMATS) {
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

TEST_CASE_TEMPLATE("8: names that end with the file are in range", F, ALL_FORMATS) {
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

TEST_CASE_TEMPLATE("9: empty section names", F, ALL_FORMATS) {
  CHECK(after<F>([](auto& f) { f.section(7).sh_size = 0; }).code == errc::elf_shstrtab_empty);
  CHECK(after<F>([](auto& f) {
          f.section(7).sh_size = 0;
          f.section(7).sh_offset = static_cast<word_of<F>>(f.bytes.size());
        }).code == errc::elf_shstrtab_empty);
}

TEST_CASE_TEMPLATE("10: section names without a last NUL", F, ALL_FORMATS) {
  CHECK(after<F>([](auto& f) { f.data(7).back() = std::byte{'x'}; }).code ==
        errc::elf_shstrtab_unterminated);
  CHECK(after<F>([](auto& f) {
          f.section(7).sh_size = static_cast<word_of<F>>(f.section(7).sh_size - 1);
        }).code == errc::elf_shstrtab_unterminated);
}

TEST_CASE_TEMPLATE("11: section 0 is null and has neither size nor address", F, ALL_FORMATS) {
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

TEST_CASE_TEMPLATE("e_shoff 0 reads the header as sections, and is refused", F, ALL_FORMATS) {
  checked<F> c = after<F>([](auto& f) { f.header().e_shoff = 0; });
  CHECK(c.code != errc::ok);
  CHECK(c.e.os_errno() == e_noexec);
}

TEST_CASE_TEMPLATE("12: link of a symbol table", F, ALL_FORMATS) {
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

TEST_CASE_TEMPLATE("12: sections beyond the file", F, ALL_FORMATS) {
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

TEST_CASE_TEMPLATE("12: NULL and NOBITS sections have no range and no data", F, ALL_FORMATS) {
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

TEST_CASE_TEMPLATE("12: names of sections", F, ALL_FORMATS) {
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

TEST_CASE_TEMPLATE("beyond Linux: names of sections that are not kept, or NOBITS", F, ALL_FORMATS) {
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

TEST_CASE_TEMPLATE("beyond Linux: a relocation section for no section", F, ALL_FORMATS) {
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

// Each later damage is there from the start; mending them in Linux's order shows one after another.
TEST_CASE_TEMPLATE("the first failing check decides", F, ALL_FORMATS) {
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
                   ALL_FORMATS) {
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
