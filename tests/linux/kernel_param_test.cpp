// SPDX-License-Identifier: MIT
#include "fake_module.hpp"

#include <kmodld/linux/kernel_param.hpp>

#include <doctest/doctest.h>

using namespace kmodld;

TEST_CASE_TEMPLATE("kernel_param: the table __param", Format, elf::elf64_le, elf::elf64_be,
                   elf::elf32_le, elf::elf32_be) {
  using entry = kernel_param_entry<Format>;
  static_assert(sizeof(entry) == (Format::bits == 64 ? 40 : 20));
  test::fake_module<Format> f{512};
  address name = f.put("debug");
  u64 const word = Format::bits / 8;
  address at = f.reserve(2 * sizeof(entry));
  for (u64 i : {u64{0}, u64{1}}) {
    address e = at + i * sizeof(entry);
    f.store(e, static_cast<typename Format::word_type>(name.value));
    f.store(e + 2 * word, static_cast<typename Format::word_type>(0x1234));
    f.store(e + 3 * word, u16{0644});
    f.store(e + 3 * word + 2, u8{0xff});
    f.store(e + 3 * word + 3, u8{2});
    f.store(e + 4 * word, static_cast<typename Format::word_type>(0x5678));
  }
  kernel_params<Format> params{f.m, f.table(at, 2, sizeof(entry))};
  CHECK(params.size() == 2);
  kernel_param p;
  REQUIRE(params.get(1, p));
  CHECK(p.name == "debug");
  CHECK(p.ops.value == 0x1234);
  CHECK(p.arg.value == 0x5678);
  CHECK(p.perm == 0644);
  CHECK(p.level == -1);
  CHECK(p.flags == kernel_param::hardware);

  f.store(at + 2 * word, typename Format::word_type{0});
  CHECK_FALSE(params.get(0, p));
  f.store(at + 2 * word, typename Format::word_type{1});
  CHECK(params.get(0, p));
  f.store(at, static_cast<typename Format::word_type>(f.end().value));
  CHECK_FALSE(params.get(0, p));
  f.store(at, typename Format::word_type{0});
  CHECK_FALSE(params.get(0, p));
  CHECK(kernel_params<Format>{f.m, f.table(at, 2, sizeof(entry) - 1)}.size() == 0);
  CHECK(kernel_params<Format>{f.m, {}}.size() == 0);
}
