// SPDX-License-Identifier: MIT
#include "fake_module.hpp"

#include <kmodld/linux/param_types.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace kmodld;

#define FORMATS elf::elf64_le, elf::elf64_be, elf::elf32_le, elf::elf32_be

namespace {

template <class Format>
std::string printed(param_type t, u64 raw) {
  char out[64];
  detail::text_sink sink{out};
  put_param_value<Format>(sink, t, raw);
  return {out, sink.finish()};
}

} // namespace

TEST_CASE_TEMPLATE("param_types: widths follow the target's class", Format, FORMATS) {
  constexpr u32 word = Format::bits / 8;
  std::pair<param_type, u32> const rows[] = {
      {param_type::byte, 1},     {param_type::short_, 2},
      {param_type::ushort, 2},   {param_type::int_, 4},
      {param_type::uint, 4},     {param_type::hexint, 4},
      {param_type::bint, 4},     {param_type::long_, word},
      {param_type::ulong, word}, {param_type::charp, word},
      {param_type::ullong, 8},   {param_type::bool_, 1},
      {param_type::invbool, 1},  {param_type::bool_enable_only, 1},
  };
  for (auto const& row : rows) {
    CAPTURE(static_cast<int>(row.first));
    CHECK(param_memory<Format>::width(row.first) == row.second);
  }
}

TEST_CASE_TEMPLATE("param_types: memory is read and written in the target's byte order", Format,
                   FORMATS) {
  test::fake_module<Format> f{16};
  address at = f.m.memories[0].memory.target;
  using memory = param_memory<Format>;
  constexpr bool little = Format::order == elf::byte_order::little;
  for (u32 width : {1u, 2u, 4u, 8u}) {
    CAPTURE(width);
    u64 const value = 0x1122334455667788 >> (64 - 8 * width);
    CHECK(memory::store(f.m, at, width, value) == 0);
    CHECK(f.memory[0] == std::byte(little ? value & 0xff : 0x11));
    u64 back = 0;
    CHECK(memory::load(f.m, at, width, back));
    CHECK(back == value);
    CHECK(memory::store(f.m, f.end() + (1 - u64{width}), width, 0) == e_fault);
    CHECK_FALSE(memory::load(f.m, at + u64(-1), width, back));
  }
}

TEST_CASE("param_types: signed values print by their own width") {
  using format = elf::elf32_le;
  CHECK(printed<format>(param_type::short_, 0xffff) == "-1");
  CHECK(printed<format>(param_type::short_, 0x8000) == "-32768");
  CHECK(printed<format>(param_type::short_, 0x7fff) == "32767");
  CHECK(printed<format>(param_type::long_, 0xffffffff) == "-1");
  CHECK(printed<elf::elf64_le>(param_type::long_, 0xffffffff) == "4294967295");
  CHECK(printed<elf::elf64_le>(param_type::long_, u64{1} << 63) == "-9223372036854775808");
  CHECK(printed<format>(param_type::ushort, 0xffff) == "65535");
  CHECK(printed<format>(param_type::bint, 0xffffffff) == "-1");
  CHECK(printed<format>(param_type::bool_, 7) == "Y");
}

TEST_CASE("param_types: three truth types take a name alone") {
  for (int t = 0; t <= static_cast<int>(param_type::none); ++t) {
    auto type = static_cast<param_type>(t);
    CHECK(allows_no_argument(type) == (type == param_type::bool_ || type == param_type::bint ||
                                       type == param_type::bool_enable_only));
  }
}
