// SPDX-License-Identifier: MIT
#include "fake_module.hpp"

#include <kmodld/linux/versions.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace kmodld;
using test::bytes;

namespace {

template <class Format>
void append(std::vector<std::byte>& out, u64 crc, std::string_view name) {
  std::size_t at = out.size();
  out.resize(at + 64);
  Format::word::store(&out[at], static_cast<typename Format::word_type>(crc));
  std::size_t room = 64 - sizeof(typename Format::word);
  std::memcpy(&out[at + sizeof(typename Format::word)], name.data(), std::min(room, name.size()));
}

} // namespace

TEST_CASE_TEMPLATE("versions: find answers the first entry of the name", Format, elf::elf64_le,
                   elf::elf64_be, elf::elf32_le, elf::elf32_be) {
  std::vector<std::byte> section;
  append<Format>(section, 0x12345678, "module_layout");
  append<Format>(section, 0xcafe, "printk");
  append<Format>(section, 0xbeef, "printk");
  append<Format>(section, 0, "");
  modversions<Format> versions{section};
  CHECK(versions.count() == 4);
  CHECK(versions.terminated());
  CHECK(versions[0].name == "module_layout");
  CHECK(versions[0].crc == 0x12345678);
  CHECK(versions[2].crc == 0xbeef);
  u64 crc = 7;
  CHECK(versions.find("printk", crc));
  CHECK(crc == 0xcafe);
  CHECK(versions.find("", crc));
  CHECK(crc == 0);
  crc = 7;
  CHECK_FALSE(versions.find("print", crc));
  CHECK_FALSE(versions.find("printk_", crc));
  CHECK(crc == 7);
}

TEST_CASE("versions: the upper half of a 64-bit crc is kept, so that it matches nothing") {
  std::vector<std::byte> section;
  append<elf::elf64_le>(section, 0x100000001, "f");
  u64 crc = 0;
  CHECK(modversions<elf::elf64_le>{section}.find("f", crc));
  CHECK(crc == 0x100000001);
}

TEST_CASE_TEMPLATE("versions: a name that fills its entry ends with it", Format, elf::elf64_le,
                   elf::elf32_be) {
  std::size_t room = modversions<Format>::name_capacity;
  CHECK(room == (Format::bits == 64 ? 56 : 60));
  std::vector<std::byte> section;
  append<Format>(section, 1, std::string(room - 1, 'a'));
  CHECK(modversions<Format>{section}.terminated());
  append<Format>(section, 2, std::string(room, 'b'));
  append<Format>(section, 3, "c");
  modversions<Format> versions{section};
  CHECK_FALSE(versions.terminated());
  CHECK(versions[1].name == std::string(room, 'b'));
  CHECK(versions[2].name == "c");
}

TEST_CASE("versions: a last entry that is cut off does not count") {
  std::vector<std::byte> section;
  append<elf::elf64_le>(section, 1, "a");
  section.resize(127);
  section.shrink_to_fit();
  modversions<elf::elf64_le> versions{section};
  CHECK(versions.count() == 1);
  u64 crc;
  CHECK_FALSE(versions.find("", crc));
  CHECK(modversions<elf::elf64_le>{}.count() == 0);
  CHECK(modversions<elf::elf64_le>{}.terminated());
}

TEST_CASE("versions: powerpc64 drops the dot of a name") {
  std::vector<std::byte> section;
  append<elf::elf64_le>(section, 1, ".printk");
  append<elf::elf64_le>(section, 2, "..x");
  u64 crc = 0;
  CHECK_FALSE(modversions<elf::elf64_le>{section}.find("printk", crc));
  modversions<elf::elf64_le> dotless{section, true};
  CHECK(dotless.find("printk", crc));
  CHECK(crc == 1);
  CHECK(dotless.find(".x", crc));
  CHECK_FALSE(dotless.find(".printk", crc));
}

TEST_CASE_TEMPLATE("versions: extended names", Format, elf::elf64_le, elf::elf32_be) {
  std::vector<std::byte> crcs(8);
  Format::word32::store(&crcs[0], 11);
  Format::word32::store(&crcs[4], 22);
  std::string_view const texts[] = {"first\0second\0"sv, "first\0second\0third\0"sv,
                                    "first\0second"sv, "first\0"sv, ""sv};
  bool const complete[] = {true, true, false, false, false};
  for (int i = 0; i < 5; ++i) {
    CAPTURE(i);
    std::vector<std::byte> names(bytes(texts[i]).begin(), bytes(texts[i]).end());
    extended_modversions<Format> versions{crcs, names};
    CHECK(versions.count() == 2);
    CHECK(versions.complete() == complete[i]);
    u64 crc = 0;
    CHECK(versions.find("second", crc) == (i < 3));
    CHECK(crc == (i < 3 ? 22 : 0));
    CHECK_FALSE(versions.find("third", crc));
    CHECK(versions.find("first", crc) == (i < 4));
  }
  CHECK(extended_modversions<Format>{}.complete());
  CHECK(extended_modversions<Format>{byte_view{crcs}.first(3), {}}.count() == 0);
}

TEST_CASE_TEMPLATE("versions: a crc relative to its word", Format, elf::elf64_le, elf::elf64_be,
                   elf::elf32_le, elf::elf32_be) {
  test::fake_module<Format> f{64};
  f.reserve(16);
  address base = f.m.memories[0].memory.target;
  f.store(base, u32{0xdeadbeef});
  f.store(base + 60, u32{0xfeedface});
  u32 crc = 1;
  f.store(base + 16, u32(-16));
  CHECK(relative_crc<Format>(f.m, base + 16, crc));
  CHECK(crc == 0xdeadbeef);
  f.store(base + 16, u32{44});
  CHECK(relative_crc<Format>(f.m, base + 16, crc));
  CHECK(crc == 0xfeedface);
  for (i32 wrong : {45, -17, 0x7fffffff, -0x7fffffff}) {
    CAPTURE(wrong);
    f.store(base + 16, static_cast<u32>(wrong));
    CHECK_FALSE(relative_crc<Format>(f.m, base + 16, crc));
  }
  CHECK_FALSE(relative_crc<Format>(f.m, base + 61, crc));
}
