// SPDX-License-Identifier: MIT
#include "fake_module.hpp"

#include <kmodld/linux/build_id.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace kmodld;

namespace {

template <class Format>
std::string note(u32 type, std::string_view name, std::string_view desc, u32 namesz, u32 descsz) {
  std::string s(12, '\0');
  Format::word32::store(s.data(), namesz);
  Format::word32::store(s.data() + 4, descsz);
  Format::word32::store(s.data() + 8, type);
  for (std::string_view part : {name, desc}) {
    s += part;
    s.resize((s.size() + 3) & ~std::size_t{3});
  }
  return s;
}
template <class Format>
std::string note(u32 type, std::string_view name, std::string_view desc) {
  return note<Format>(type, name, desc, static_cast<u32>(name.size()),
                      static_cast<u32>(desc.size()));
}

template <class Format>
std::string_view found(std::string_view section) {
  // On the heap with its exact size, for the address sanitiser.
  static std::vector<std::byte> memory;
  memory = {test::bytes(section).begin(), test::bytes(section).end()};
  memory.shrink_to_fit();
  return as_text(find_build_id<Format>(memory));
}

constexpr std::string_view gnu = "GNU\0"sv;

} // namespace

TEST_CASE_TEMPLATE("build_id: found among other notes", Format, elf::elf64_le, elf::elf64_be,
                   elf::elf32_le, elf::elf32_be) {
  std::string const id = "0123456789abcdefghij", linux_note = note<Format>(0x101, "Linux\0"sv, "x"),
                    wanted = note<Format>(3, gnu, id);
  CHECK(found<Format>(wanted) == id);
  CHECK(found<Format>(linux_note + wanted) == id);
  CHECK(found<Format>(wanted + linux_note) == id);
  CHECK(found<Format>(note<Format>(1, gnu, "abi!") + wanted) == id);
  CHECK(found<Format>(note<Format>(3, "GNX\0"sv, "no") + wanted) == id);
  CHECK(found<Format>(note<Format>(3, "GNU\0\0"sv, "no") + wanted) == id);
  CHECK(found<Format>(note<Format>(3, ""sv, ""sv) + wanted) == id);
  CHECK(found<Format>(note<Format>(3, gnu, "abc") + wanted) == "abc");
  CHECK(found<Format>(note<Format>(3, gnu, "abc").substr(0, 19)) == "abc");
  // Neither empty ones nor any longer than SHA-1 count.
  CHECK(found<Format>(note<Format>(3, gnu, "") + wanted) == id);
  CHECK(found<Format>(note<Format>(3, gnu, id + "k") + wanted) == id);
}

TEST_CASE_TEMPLATE("build_id: damaged notes", Format, elf::elf64_le, elf::elf32_be) {
  std::string const wanted = note<Format>(3, gnu, "abcd");
  CHECK(found<Format>("") == "");
  CHECK(found<Format>(note<Format>(1, gnu, "abcd")) == "");
  for (std::size_t n = 0; n < wanted.size(); ++n)
    CHECK(found<Format>(wanted.substr(0, n)) == "");
  for (u32 size : {5u, 0x7fffffffu, 0xfffffffcu, 0xffffffffu}) {
    CAPTURE(size);
    CHECK(found<Format>(note<Format>(3, gnu, "abcd", 4, size)) == "");
    CHECK(found<Format>(note<Format>(1, gnu, "abcd", size, 4) + wanted.substr(0, 4)) == "");
  }
}
