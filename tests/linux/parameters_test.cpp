// SPDX-License-Identifier: MIT
#include "fake_module.hpp"

#include <kmodld/error_text.hpp>
#include <kmodld/linux/parameters.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>

using namespace kmodld;

namespace {

/// Memory at target addresses of its own; counts what is out.
struct records {
  std::map<std::byte*, std::unique_ptr<std::byte[]>> out;
  u64 next = 0x70000000;
  bool full = false;
  bool locked = false;

  memory_status allocate(memory_request const& r, region& given) noexcept {
    CHECK(r.kind == memory_kind::record);
    CHECK_FALSE(locked);
    if (full)
      return memory_status::no_room;
    auto memory = std::make_unique<std::byte[]>(r.size);
    given = {.target = {next}, .host = memory.get(), .size = r.size};
    next += 0x1000;
    out.emplace(given.host, std::move(memory));
    return memory_status::ok;
  }
  void release(memory_kind kind, region given) noexcept {
    CHECK(kind == memory_kind::record);
    CHECK(out.erase(given.host) == 1);
  }
};
static_assert(allocator_policy<records>);

struct log {
  std::string text;
  void report(error const& e) noexcept {
    char out[256];
    format(e, out);
    text += std::string{out} + ";";
  }
};

/// Operations of the host's own: the value's length is kept in the variable's place.
struct others {
  std::string text;
  int set(module&, kernel_param const& p, std::string_view value) noexcept {
    text += "set " + std::to_string(p.arg.value & 0xfff) + " " + std::string{value} + ";";
    return equal(value, "no") ? e_nodev : 0;
  }
  int get(module&, kernel_param const& p, std::span<char> out) noexcept {
    if (p.perm == 1)
      return -e_io;
    return static_cast<int>(copy_text(out, "own\n"));
  }
  bool no_argument(module&, kernel_param const&) noexcept { return true; }
  void free(module&, kernel_param const& p) noexcept {
    text += "free " + std::to_string(p.arg.value & 0xfff) + ";";
  }
};

constexpr u64 own_ops = 900;

/// One module with parameters, its host's table of types, and the policy.
template <class Format>
struct bench {
  using word = typename Format::word_type;
  std::vector<param_ops> types;
  test::fake_module<Format> f{4096, 0x10000};
  records memory;
  others foreign;
  log notes;
  linux_parameters<Format, records&, others&, log&> policy{(fill(), types), memory, foreign, notes};

  void fill() {
    for (int t = 0; t < static_cast<int>(param_type::none); ++t) {
      types.push_back({static_cast<param_type>(t), {u64(100 + t)}});
      types.push_back({static_cast<param_type>(t), {u64(200 + t)}});
    }
  }
  static address ops(param_type t) { return {200 + static_cast<u64>(t)}; }
  kernel_param param(param_type t, address at) {
    return {.name = "p", .ops = t == param_type::none ? address{own_ops} : ops(t), .arg = at};
  }
  int set(kernel_param const& p, std::string_view v) { return policy.set(f.m, p, v); }
  std::string get(kernel_param const& p, std::size_t room = 256) {
    std::vector<char> out(room, '#');
    int n = policy.get(f.m, p, out);
    if (n < 0)
      return "-" + std::to_string(-n);
    REQUIRE(static_cast<std::size_t>(n) < room);
    CHECK(out[static_cast<std::size_t>(n)] == '\0');
    return {out.data(), static_cast<std::size_t>(n)};
  }
  address array(param_type t, u32 max, u32 size, address num, address elem) {
    kparam_array<Format> a;
    a.max = max;
    a.elemsize = size;
    a.num = static_cast<word>(num.value);
    a.ops = static_cast<word>(t == param_type::none ? own_ops : ops(t).value);
    a.elem = static_cast<word>(elem.value);
    return f.put(a);
  }
};

} // namespace

#define FORMATS elf::elf64_le, elf::elf64_be, elf::elf32_le, elf::elf32_be

TEST_CASE_TEMPLATE("parameters: numbers in their range, size and byte order", Format, FORMATS) {
  bench<Format> b;
  constexpr bool wide = Format::bits == 64;
  struct row {
    param_type type;
    u32 width;
    char const *least, *below, *most, *above;
  };
  char const* const s64_min = "-9223372036854775808";
  char const* const s64_max = "9223372036854775807";
  row const rows[] = {
      {param_type::byte, 1, "0", "-1", "255", "256"},
      {param_type::short_, 2, "-32768", "-32769", "32767", "32768"},
      {param_type::ushort, 2, "0", "-1", "65535", "65536"},
      {param_type::int_, 4, "-2147483648", "-2147483649", "2147483647", "2147483648"},
      {param_type::uint, 4, "0", "-1", "4294967295", "4294967296"},
      {param_type::long_, wide ? 8 : 4, wide ? s64_min : "-2147483648",
       wide ? "-9223372036854775809" : "-2147483649", wide ? s64_max : "2147483647",
       wide ? "9223372036854775808" : "2147483648"},
      {param_type::ulong, wide ? 8 : 4, "0", "-1", wide ? "18446744073709551615" : "4294967295",
       wide ? "18446744073709551616" : "4294967296"},
      {param_type::ullong, 8, "0", "-1", "18446744073709551615", "18446744073709551616"},
  };
  for (row const& r : rows) {
    CAPTURE(static_cast<int>(r.type));
    // The neighbours' bytes must stay.
    address at = b.f.reserve(32);
    std::memset(b.f.host(at), 0x55, 32);
    kernel_param p = b.param(r.type, at + 8);
    for (char const* text : {r.least, r.most}) {
      CHECK(b.set(p, text) == 0);
      CHECK(b.get(p) == std::string{text} + "\n");
      for (u64 i : {u64{7}, u64{8} + r.width})
        CHECK(b.f.template load<u8>(at + i) == 0x55);
    }
    bool no_minus = r.below == std::string_view{"-1"};
    CHECK(b.set(p, r.below) == (no_minus ? e_inval : e_range));
    CHECK(b.set(p, r.above) == e_range);
    CHECK(b.set(p, "7x") == e_inval);
    CHECK(b.set(p, "") == e_inval);
    CHECK(b.set(p, {}) == e_inval);
    CHECK(b.get(p) == std::string{r.most} + "\n");
    CHECK_FALSE(b.policy.no_argument(b.f.m, p));
    CHECK(b.set(b.param(r.type, b.f.end() + u64(1 - i64{r.width})), "1") == e_fault);
    CHECK(b.get(b.param(r.type, b.f.end())) == "-14");
  }
  address at = b.f.reserve(8);
  CHECK(b.set(b.param(param_type::int_, at), "0x12345678") == 0);
  CHECK(static_cast<int>(*b.f.host(at)) ==
        (Format::order == elf::byte_order::little ? 0x78 : 0x12));
}

TEST_CASE("parameters: hexint prints at least eight columns") {
  bench<elf::elf64_le> b;
  kernel_param p = b.param(param_type::hexint, b.f.reserve(4));
  std::pair<char const*, char const*> const rows[] = {
      {"0", "0x000000\n"},        {"0xf", "0x00000f\n"},        {"255", "0x0000ff\n"},
      {"0xabcdef", "0xabcdef\n"}, {"0x1abcdef", "0x1abcdef\n"}, {"0xffffffff", "0xffffffff\n"},
  };
  for (auto [in, out] : rows) {
    CHECK(b.set(p, in) == 0);
    CHECK(b.get(p) == out);
  }
  CHECK(b.set(p, "0x100000000") == e_range);
}

TEST_CASE_TEMPLATE("parameters: truth values", Format, FORMATS) {
  bench<Format> b;
  address at = b.f.reserve(8);
  kernel_param flag = b.param(param_type::bool_, at);
  CHECK(b.policy.no_argument(b.f.m, flag));
  CHECK(b.set(flag, {}) == 0);
  CHECK(b.f.template load<u8>(at) == 1);
  CHECK(b.get(flag) == "Y\n");
  CHECK(b.set(flag, "off") == 0);
  CHECK(b.get(flag) == "N\n");
  CHECK(b.set(flag, "maybe") == e_inval);
  CHECK(b.set(flag, "") == e_inval);

  kernel_param inverse = b.param(param_type::invbool, at);
  CHECK_FALSE(b.policy.no_argument(b.f.m, inverse));
  CHECK(b.set(inverse, {}) == e_inval);
  CHECK(b.set(inverse, "n") == 0);
  CHECK(b.f.template load<u8>(at) == 1);
  CHECK(b.get(inverse) == "N\n");
  CHECK(b.set(inverse, "y") == 0);
  CHECK(b.f.template load<u8>(at) == 0);
  CHECK(b.get(inverse) == "Y\n");

  kernel_param number = b.param(param_type::bint, at);
  std::memset(b.f.host(at), 0xff, 8);
  CHECK(b.get(number) == "-1\n");
  CHECK(b.policy.no_argument(b.f.m, number));
  CHECK(b.set(number, {}) == 0);
  CHECK(b.f.template load<u32>(at) == 1);
  CHECK(b.f.template load<u8>(at + 4) == 0xff);
  CHECK(b.get(number) == "1\n");
  CHECK(b.set(number, "0") == 0);
  CHECK(b.get(number) == "0\n");

  kernel_param latch = b.param(param_type::bool_enable_only, at);
  CHECK(b.policy.no_argument(b.f.m, latch));
  CHECK(b.set(latch, "0") == 0);
  CHECK(b.set(latch, "x") == e_inval);
  CHECK(b.set(latch, "1") == 0);
  CHECK(b.set(latch, {}) == 0);
  CHECK(b.set(latch, "0") == e_rofs);
  CHECK(b.get(latch) == "Y\n");
  CHECK(b.set(b.param(param_type::bool_enable_only, b.f.end()), "0") == e_fault);
  CHECK(b.set(b.param(param_type::bool_, b.f.end()), "0") == e_fault);
}

TEST_CASE_TEMPLATE("parameters: charp copies the value and gives old copies back", Format,
                   FORMATS) {
  using word = typename Format::word_type;
  bench<Format> b;
  address text = b.f.put("built in");
  address at = b.f.reserve(8);
  b.f.store(at, static_cast<word>(text.value));
  kernel_param p = b.param(param_type::charp, at);
  CHECK(b.get(p) == "built in\n");
  CHECK(b.set(p, {}) == e_inval);

  REQUIRE(b.set(p, "first") == 0);
  CHECK(b.memory.out.size() == 1);
  // The module sees target addresses, the text lies behind the host's pointer.
  address seen{b.f.template load<word>(at)};
  region block{{0x70000000}, b.memory.out.begin()->first, 0};
  CHECK(seen > block.target);
  CHECK(std::string{reinterpret_cast<char const*>(block.at(seen))} == "first");
  CHECK(b.get(p) == "first\n");
  REQUIRE(b.set(p, "") == 0);
  CHECK(b.memory.out.size() == 1);
  CHECK(b.get(p) == "\n");

  CHECK(b.set(p, std::string(1024, 'x')) == 0);
  CHECK(b.set(p, std::string(1025, 'x')) == e_nospc);
  CHECK(b.notes.text == "p: string parameter too long;");
  CHECK(b.get(p, 2048) == std::string(1024, 'x') + "\n");
  CHECK(b.get(p, 5) == "xxxx");

  b.memory.full = true;
  CHECK(b.set(p, "second") == e_nomem);
  CHECK(b.get(p, 4) == "xxx");
  b.memory.full = false;

  // The module points elsewhere: its old copy may be in use, so it lives until free().
  b.f.store(at, word{0});
  CHECK(b.get(p) == "(null)\n");
  CHECK(b.set(p, "third") == 0);
  CHECK(b.memory.out.size() == 2);
  b.f.store(at, static_cast<word>(0x666));
  CHECK(b.get(p) == "-14");
  b.policy.free(b.f.m, p);
  CHECK(b.memory.out.empty());
  CHECK(b.set(b.param(param_type::charp, b.f.end()), "x") == e_fault);
  CHECK(b.memory.out.empty());
}

TEST_CASE("parameters: charp copies of two modules are kept apart, and none outlives the policy") {
  records memory;
  std::vector<param_ops> const types{{param_type::charp, {1}}};
  test::fake_module<elf::elf64_le> one{64, 0x1000}, two{64, 0x1000};
  kernel_param p{.name = "p", .ops = {1}, .arg = {0x1008}};
  {
    linux_parameters<elf::elf64_le, records&> policy{types, memory};
    CHECK(policy.set(one.m, p, "one") == 0);
    CHECK(policy.set(two.m, p, "two") == 0);
    CHECK(memory.out.size() == 2);
    policy.free(one.m, p);
    CHECK(memory.out.size() == 1);
    policy.free(one.m, p);
    char out[8];
    CHECK(policy.get(two.m, p, out) == 4);
    CHECK(std::string{out} == "two\n");
    CHECK(policy.get(two.m, p, {}) == 0);
  }
  CHECK(memory.out.empty());
}

TEST_CASE_TEMPLATE("parameters: string is copied into the module's buffer", Format, FORMATS) {
  bench<Format> b;
  address buffer = b.f.put("abcdefg\x55");
  kparam_string<Format> s;
  s.maxlen = 8;
  s.string = static_cast<typename Format::word_type>(buffer.value);
  kernel_param p = b.param(param_type::string, b.f.put(s));
  CHECK(b.set(p, "1234567") == 0);
  CHECK(b.get(p) == "1234567\n");
  CHECK(b.f.template load<u8>(buffer + 7) == 0);
  CHECK(b.set(p, "12345678") == e_nospc);
  CHECK(b.notes.text == "p: string doesn't fit in 7 chars.;");
  CHECK(b.get(p) == "1234567\n");
  CHECK(b.set(p, "") == 0);
  CHECK(b.get(p) == "\n");
  CHECK(b.set(p, {}) == e_inval);

  s.maxlen = 0;
  b.notes.text.clear();
  CHECK(b.set(b.param(param_type::string, b.f.put(s)), "") == e_nospc);
  CHECK(b.notes.text == "p: string doesn't fit in 4294967295 chars.;");
  s.maxlen = 8;
  s.string = static_cast<typename Format::word_type>(b.f.end().value - 3);
  p = b.param(param_type::string, b.f.put(s));
  CHECK(b.set(p, "123") == e_fault);
  CHECK(b.set(p, "12") == 0);
  CHECK(b.get(p) == "12\n");
  p.arg = b.f.end();
  CHECK(b.set(p, "1") == e_fault);
  CHECK(b.get(p) == "-14");
}

TEST_CASE_TEMPLATE("parameters: arrays", Format, FORMATS) {
  bench<Format> b;
  address num = b.f.reserve(4), elem = b.f.reserve(16);
  b.f.store(num, u32{4});
  for (u64 i = 0; i < 4; ++i)
    b.f.store(elem + 4 * i, static_cast<u32>(-1));
  kernel_param p = b.param(param_type::array, b.array(param_type::int_, 4, 4, num, elem));
  auto count = [&] { return b.f.template load<u32>(num); };
  CHECK(b.get(p) == "-1,-1,-1,-1\n");
  CHECK(b.set(p, "1,0x2,-3") == 0);
  CHECK(count() == 3);
  CHECK(b.get(p) == "1,2,-3\n");
  CHECK(b.set(p, "7") == 0);
  CHECK(b.get(p) == "7\n");
  CHECK(b.f.template load<u32>(elem + 4) == 2);
  CHECK(b.set(p, {}) == e_inval);
  CHECK_FALSE(b.policy.no_argument(b.f.m, p));

  // Elements before the wrong one stay set and counted.
  CHECK(b.set(p, "5,6,x,8") == e_inval);
  CHECK(b.get(p) == "5,6\n");
  CHECK(b.set(p, "") == e_inval);
  CHECK(count() == 0);
  CHECK(b.get(p) == "");
  CHECK(b.set(p, "1,") == e_inval);
  CHECK(count() == 1);
  CHECK(b.notes.text == "");
  CHECK(b.set(p, "1,2,3,4,5") == e_inval);
  CHECK(b.notes.text == "p: can only take 4 arguments;");
  CHECK(b.get(p) == "1,2,3,4\n");
  CHECK(b.set(p, "1,99999999999") == e_range);
  CHECK(b.set(p, "1,2,3,4") == 0);

  // What does not fit is cut off; a line feed that nothing follows stays.
  std::pair<std::size_t, char const*> const cut[] = {
      {1, ""}, {2, "1"}, {3, "1\n"}, {4, "1,2"}, {5, "1,2\n"}, {8, "1,2,3,4"}, {9, "1,2,3,4\n"}};
  for (auto const& row : cut) {
    CAPTURE(row.first);
    CHECK(b.get(p, row.first) == row.second);
  }
  // A count that the module made too large is not believed.
  b.f.store(num, ~u32{0});
  CHECK(b.get(p) == "1,2,3,4\n");

  kernel_param uncounted = b.param(param_type::array, b.array(param_type::int_, 2, 4, {0}, elem));
  CHECK(b.set(uncounted, "8") == 0);
  CHECK(b.get(uncounted) == "8,2\n");
  kernel_param none = b.param(param_type::array, b.array(param_type::int_, 0, 4, num, elem));
  CHECK(b.set(none, "8") == e_inval);
  CHECK(count() == 0);
  kernel_param flags = b.param(param_type::array, b.array(param_type::bool_, 4, 1, num, elem));
  CHECK(b.set(flags, "y,n,1") == 0);
  CHECK(b.get(flags) == "Y,N,Y\n");
}

TEST_CASE_TEMPLATE("parameters: arrays that the module damaged", Format, FORMATS) {
  bench<Format> b;
  address num = b.f.reserve(4), elem = b.f.reserve(16);
  auto array = [&](param_type t, u32 max, u32 size, address n, address e) {
    return b.param(param_type::array, b.array(t, max, size, n, e));
  };
  kernel_param p = array(param_type::int_, 4, 4, b.f.end(), elem);
  CHECK(b.set(p, "1") == e_fault);
  CHECK(b.get(p) == "-14");
  p = array(param_type::int_, 4, 4, num, b.f.end() + u64(-4));
  CHECK(b.set(p, "1") == 0);
  CHECK(b.set(p, "1,2") == e_fault);
  p = array(param_type::int_, ~0u, 0x40000000, num, elem);
  CHECK(b.set(p, "1,2") == e_fault);
  CHECK(b.get(p) == "1\n");
  p = array(param_type::array, 4, 4, num, elem);
  CHECK(b.set(p, "1") == e_inval);
  b.f.store(num, u32{1});
  CHECK(b.get(p) == "-22");
  p = b.param(param_type::array, b.f.end());
  CHECK(b.set(p, "1") == e_fault);
  CHECK(b.get(p) == "-14");
  b.policy.free(b.f.m, p);
  // Four thousand million elements of no size at all.
  p = array(param_type::none, ~0u, 0, {0}, elem);
  b.policy.free(b.f.m, p);
  CHECK(b.foreign.text == "");
}

TEST_CASE_TEMPLATE("parameters: an array of strings gives all its copies back", Format, FORMATS) {
  using word = typename Format::word_type;
  bench<Format> b;
  address num = b.f.reserve(4), elem = b.f.reserve(4 * sizeof(word)), after = b.f.reserve(8);
  kernel_param p =
      b.param(param_type::array, b.array(param_type::charp, 3, sizeof(word), num, elem));
  kernel_param next = b.param(param_type::charp, after);
  CHECK(b.set(p, "one,,three") == 0);
  CHECK(b.set(next, "stays") == 0);
  CHECK(b.get(p) == "one,,three\n");
  CHECK(b.memory.out.size() == 4);
  CHECK(b.set(p, "1") == 0);
  CHECK(b.memory.out.size() == 4);
  b.policy.free(b.f.m, p);
  CHECK(b.memory.out.size() == 1);
  CHECK(b.get(next) == "stays\n");
  b.policy.free(b.f.m, next);
}

TEST_CASE("parameters: elements of others' arrays are given back in bounded number") {
  bench<elf::elf64_le> b;
  // The length is the file's; with .bss it costs the file nothing.
  kernel_param const list =
      b.param(param_type::array, b.array(param_type::none, ~u32{0}, 1, {}, {0x10000}));
  for (unsigned i = 0; i < 40; ++i)
    b.policy.free(b.f.m, list);
  std::size_t const calls =
      static_cast<std::size_t>(std::count(b.foreign.text.begin(), b.foreign.text.end(), ';'));
  CHECK(calls == 65536);

  // Without such operations nobody looks at them.
  records memory;
  linux_parameters<elf::elf64_le, records&> alone{b.types, memory};
  module& m = b.f.m;
  m.freed_elements = 0;
  alone.free(m, list);
  CHECK(m.freed_elements == 0);
}

TEST_CASE("parameters: other operations are the host's") {
  bench<elf::elf64_le> b;
  address at = b.f.reserve(8);
  kernel_param p = b.param(param_type::none, at);
  std::string where = std::to_string(at.value & 0xfff);
  CHECK(b.policy.no_argument(b.f.m, p));
  CHECK(b.set(p, "x") == 0);
  CHECK(b.set(p, "no") == e_nodev);
  CHECK(b.get(p) == "own\n");
  p.perm = 1;
  CHECK(b.get(p) == "-5");
  b.policy.free(b.f.m, p);
  CHECK(b.foreign.text == "set " + where + " x;set " + where + " no;free " + where + ";");

  b.foreign.text.clear();
  address num = b.f.reserve(4);
  kernel_param list =
      b.param(param_type::array, b.array(param_type::none, 4, 4, num, {0x10000 + 64}));
  CHECK(b.set(list, "a,b") == 0);
  CHECK(b.get(list) == "own,own\n");
  b.policy.free(b.f.m, list);
  CHECK(b.foreign.text == "set 64 a;set 68 b;free 64;free 68;");
  b.policy.free(b.f.m, b.param(param_type::int_, at));
  CHECK(b.foreign.text == "set 64 a;set 68 b;free 64;free 68;");

  records memory;
  linux_parameters<elf::elf64_le, records&> alone{{}, memory};
  CHECK(alone.set(b.f.m, p, "x") == e_opnotsupp);
  char out[8];
  CHECK(alone.get(b.f.m, p, out) == -e_opnotsupp);
  CHECK_FALSE(alone.no_argument(b.f.m, p));
  static_assert(parameters_policy<decltype(alone)>);
}
