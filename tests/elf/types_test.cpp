// SPDX-License-Identifier: MIT
// elf/types.hpp: fields in both byte orders at any address, and the packing of r_info.
#include <kmodld/elf/types.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <limits>

using namespace kmodld;
using namespace kmodld::elf;

namespace {
template <class T, byte_order O>
T stored(std::initializer_list<unsigned char> bytes) {
  unsigned char raw[16] = {};
  std::copy(bytes.begin(), bytes.end(), raw + 1); // never at the alignment of T
  return field<T, O>::load(raw + 1);
}
} // namespace

TEST_CASE("loads in either byte order") {
  CHECK(stored<u16, byte_order::little>({0x34, 0x12}) == 0x1234);
  CHECK(stored<u16, byte_order::big>({0x12, 0x34}) == 0x1234);
  CHECK(stored<u32, byte_order::little>({0x78, 0x56, 0x34, 0x12}) == 0x12345678);
  CHECK(stored<u32, byte_order::big>({0x12, 0x34, 0x56, 0x78}) == 0x12345678);
  CHECK(stored<u64, byte_order::little>({8, 7, 6, 5, 4, 3, 2, 1}) == 0x0102030405060708);
  CHECK(stored<u64, byte_order::big>({1, 2, 3, 4, 5, 6, 7, 8}) == 0x0102030405060708);
  CHECK(stored<u8, byte_order::big>({0xab}) == 0xab);
}

TEST_CASE("signed fields keep their sign") {
  CHECK(stored<i32, byte_order::little>({0xfc, 0xff, 0xff, 0xff}) == -4);
  CHECK(stored<i32, byte_order::big>({0xff, 0xff, 0xff, 0xfc}) == -4);
  CHECK(stored<i64, byte_order::big>({0x80, 0, 0, 0, 0, 0, 0, 0}) ==
        std::numeric_limits<i64>::min());
}

TEST_CASE_TEMPLATE("what is stored is loaded, and nothing beside it changes", F, elf64_le, elf64_be,
                   elf32_le, elf32_be) {
  typename F::shdr s[3];
  std::memset(s, 0xaa, sizeof s);
  s[1].sh_flags = 0x01020304;
  CHECK(s[1].sh_flags == 0x01020304);
  CHECK(s[1].sh_type == 0xaaaaaaaa);
  CHECK(s[1].sh_addr == static_cast<typename F::word_type>(0xaaaaaaaaaaaaaaaa));
  CHECK(s[1].sh_flags.raw[F::order == byte_order::big ? sizeof(typename F::word) - 1 : 0] == 4);
  typename F::rela r{};
  r.r_addend = -1;
  CHECK(r.r_addend == -1);
}

TEST_CASE("structures have the sizes of the gABI") {
  CHECK(sizeof(elf64_le::ehdr) == 64);
  CHECK(sizeof(elf64_be::shdr) == 64);
  CHECK(sizeof(elf64_le::sym) == 24);
  CHECK(sizeof(elf64_be::rel) == 16);
  CHECK(sizeof(elf64_le::rela) == 24);
  CHECK(sizeof(elf32_le::ehdr) == 52);
  CHECK(sizeof(elf32_be::shdr) == 40);
  CHECK(sizeof(elf32_le::sym) == 16);
  CHECK(sizeof(elf32_be::rel) == 8);
  CHECK(sizeof(elf32_le::rela) == 12);
}

TEST_CASE("r_info splits by class") {
  CHECK(elf64_le::r_sym(0x89abcdef01234567) == 0x89abcdef);
  CHECK(elf64_le::r_type(0x89abcdef01234567) == 0x01234567);
  CHECK(elf32_be::r_sym(0x89abcdef) == 0x89abcd);
  CHECK(elf32_be::r_type(0x89abcdef) == 0xef);
}

TEST_CASE("binding and type of a symbol") {
  CHECK(st_bind(0x21) == stb_weak);
  CHECK(st_type(0x13) == stt_section);
  CHECK(st_bind(0xff) == 15);
  CHECK(st_type(0xff) == 15);
}
