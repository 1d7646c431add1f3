// SPDX-License-Identifier: MIT
#include <kmodld/hosted/dlsym_resolver.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

namespace {

using kmodld::exported_symbol;

TEST_CASE("what the C library exports is found") {
  kmodld::hosted::dlsym_resolver resolver;
  exported_symbol out;
  out.gpl_only = out.has_crc = true;
  REQUIRE(resolver.find("getenv", false, out));
  CHECK(out.value.value == reinterpret_cast<std::uintptr_t>(dlsym(RTLD_DEFAULT, "getenv")));
  CHECK(out.owner == nullptr);
  CHECK_FALSE(out.gpl_only);
  CHECK_FALSE(out.has_crc);
  // A name need not end with NUL.
  CHECK(resolver.find(std::string_view{"getenv_and_more"}.substr(0, 6), true, out));
}

TEST_CASE("what cannot be a symbol's name is not") {
  kmodld::hosted::dlsym_resolver resolver;
  exported_symbol out;
  CHECK_FALSE(resolver.find("no_such_function_anywhere", true, out));
  CHECK_FALSE(resolver.find("", true, out));
  CHECK_FALSE(resolver.find(std::string_view{"getenv\0x", 8}, true, out));
  CHECK_FALSE(resolver.find(std::string(5000, 'x'), true, out));
  CHECK_FALSE(resolver.find(std::string(511, 'x'), true, out));
}

} // namespace
