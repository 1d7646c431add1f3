// SPDX-License-Identifier: MIT
// native is what this program itself is made of.
#include <kmodld/arch/native.hpp>

#include <doctest/doctest.h>

#include <cstdio>

namespace {

using kmodld::arch::native;

TEST_CASE("native accepts the ELF header of the running program") {
  native::format::ehdr header{};
  std::FILE* self = std::fopen("/proc/self/exe", "rb");
  REQUIRE(self != nullptr);
  CHECK(std::fread(&header, sizeof header, 1, self) == 1);
  std::fclose(self);
  CHECK(header.e_ident[4] == native::format::elf_class);
  CHECK(header.e_ident[5] == native::format::elf_data);
  CHECK(native::accepts(header));
}

} // namespace
