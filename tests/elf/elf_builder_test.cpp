// SPDX-License-Identifier: MIT
// The builders of tests make what they say, and what they make passes the loader's own checks.
#include "support/module_builder.hpp"

#include "support/kernel_modules.hpp"
#include "support/sha256.hpp"

#include <kmodld/elf/image.hpp>

#include <doctest/doctest.h>

using namespace kmodld;
using namespace kmodld::test;

namespace {
template <class Numbers>
elf_file<typename Numbers::format> demo() {
  module_builder<Numbers> m{"demo"};
  u32 text = m.text(bytes_of({0xc3, 0xc3, 0xc3, 0xc3}));
  u32 data = m.writable(byte_vector(8));
  u32 f = m.function("demo_f", text, 2);
  u32 ops = m.undefined("param_ops_int");
  m.init(text, 0).exit(text, 1).version("module_layout", 0x12345678);
  m.export_symbol("demo_f", f, true, "DEMO", 77).param("count", ops, m.symbol("count", data, 0));
  return m.build();
}
} // namespace

TEST_CASE_TEMPLATE("a module has its tables", N, x86_64_numbers, aarch64_numbers, riscv64_numbers,
                   s390x_numbers, i386_numbers) {
  using format = typename N::format;
  elf_file<format> f = demo<N>();
  elf::image<format> view;
  error e;
  REQUIRE(elf::image<format>::check(
              f, [](auto const& h) { return h.e_machine == N::machine; }, view, e) == errc::ok);
  std::string const relocations = N::rela ? ".rela" : ".rel";
  CHECK(as_text(f.data(".modinfo")).find("license=GPL\0"sv) != std::string_view::npos);
  CHECK(f.data("__versions").size() == 64);
  CHECK(elf::field<u32, format::order>::load(f.data("__kcrctab_gpl").data()) == 77);
  CHECK(f.data("__ksymtab_gpl").size() == (N::relative_exports ? 12 : 3 * format::bits / 8));
  CHECK(f.data("__param").size() == (format::bits == 64 ? 40 : 20));
  CHECK(as_text(f.data("__ksymtab_strings")) == "demo_f\0DEMO\0"sv);
  std::span<std::byte> structure = f.data(".gnu.linkonce.this_module");
  CHECK(string_at(structure, format::bits == 64 ? 24 : 12) == "demo");
  u32 const table = f.index(relocations + ".gnu.linkonce.this_module");
  CHECK(f.section(table).sh_info == f.index(".gnu.linkonce.this_module"));
  CHECK(f.section(table).sh_link == f.index(".symtab"));
  auto entries = f.template entries<typename format::rel>(table);
  CHECK(format::r_type(entries[0].r_info) == N::word);
  CHECK(f.symbol("init_module").st_shndx == f.index(".text"));
  CHECK(f.symbol("cleanup_module").st_value == 1);
  CHECK(f.symbol("param_ops_int").st_shndx == elf::shn_undef);
}

TEST_CASE("damage is done where it was meant") {
  elf_file<elf::elf64_le> f = demo<x86_64_numbers>();
  byte_vector const before = f.bytes;
  f.replace(".modinfo", "vermagic=kmodld ", "vermagic=other  ");
  CHECK(as_text(f.data(".modinfo")).find("vermagic=other") != std::string_view::npos);
  std::size_t changed = 0;
  for (std::size_t i = 0; i < before.size(); ++i)
    changed += before[i] != f.bytes[i];
  CHECK(changed >= 5);
  CHECK(changed <= 7);
  CHECK_THROWS(f.replace("no such text", "no such texT"));
  CHECK_THROWS(f.replace("GPL", "longer"));
  CHECK_THROWS(f.section(".none"));
  CHECK_THROWS(f.symbol("none"));
}

TEST_CASE("SHA-256, FIPS 180-4 example") {
  CHECK(sha256_prefix(bytes_of("abc")) == "ba7816bf8f01cfea414140de5dae2223");
  CHECK(sha256_prefix({}) == "e3b0c44298fc1c149afbf4c8996fb924");
}

TEST_CASE("xz streams, one or several") {
  byte_vector const content(3'000'000, std::byte{'k'}); // grows far beyond the first guess
  byte_vector packed(100'000);
  std::size_t size = 0;
  REQUIRE(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, nullptr,
                                  reinterpret_cast<std::uint8_t const*>(content.data()),
                                  content.size(), reinterpret_cast<std::uint8_t*>(packed.data()),
                                  &size, packed.size()) == LZMA_OK);
  packed.resize(size);
  CHECK(is_xz(packed));
  CHECK(decompress_xz(packed, "one") == content);
  byte_vector twice = packed;
  twice.insert(twice.end(), packed.begin(), packed.end());
  CHECK(decompress_xz(twice, "two").size() == 2 * content.size());
  packed.pop_back();
  CHECK_THROWS(decompress_xz(packed, "cut"));
  CHECK(!is_xz(bytes_of("ELF")));
  CHECK(!is_xz({}));
  CHECK_THROWS(read_file("/nonexistent/file"));
}

TEST_CASE("packages that are not here") {
  CHECK(!kernel_root("of_no_such_name"));
  CHECK(all_modules("/nonexistent").empty());
  CHECK(find_in_package("/nonexistent", "lib/modules/x.ko").empty());
}
