// SPDX-License-Identifier: MIT
#include <kmodld/linux/param_text.hpp>

#include <doctest/doctest.h>

using namespace kmodld;

TEST_CASE("param_text: truth values") {
  struct row {
    std::string_view text;
    int status;
    bool value;
  };
  row const rows[] = {
      {"y", 0, true},         {"Y", 0, true},        {"t", 0, true},         {"T", 0, true},
      {"1", 0, true},         {"on", 0, true},       {"oN", 0, true},        {"On", 0, true},
      {"n", 0, false},        {"N", 0, false},       {"f", 0, false},        {"F", 0, false},
      {"0", 0, false},        {"of", 0, false},      {"OFF", 0, false},      {"yes", 0, true},
      {"nonsense", 0, false}, {"1junk", 0, true},    {"onions", 0, true},    {"", e_inval, false},
      {"2", e_inval, false},  {"o", e_inval, false}, {"ox", e_inval, false}, {" y", e_inval, false},
      {"-1", e_inval, false},
  };
  for (row const& r : rows) {
    CAPTURE(r.text);
    bool value = !r.value;
    CHECK(parse_bool(r.text, value) == r.status);
    CHECK(value == (r.status == 0 ? r.value : !r.value));
  }
  bool value = true;
  CHECK(parse_bool({}, value) == e_inval);
}

TEST_CASE("param_text: unsigned numbers") {
  struct row {
    std::string_view text;
    int status;
    u64 value;
  };
  row const rows[] = {
      {"0", 0, 0},
      {"7", 0, 7},
      {"+7", 0, 7},
      {"007", 0, 7},
      {"0777", 0, 0777},
      {"0x1f", 0, 0x1f},
      {"0XAbCdEf", 0, 0xabcdef},
      {"+0x10", 0, 16},
      {"12\n", 0, 12},
      {"18446744073709551615", 0, ~u64{0}},
      {"0xffffffffffffffff", 0, ~u64{0}},
      {"01777777777777777777777", 0, ~u64{0}},
      {"0x0000000000000000000000001", 0, 1},
      {"18446744073709551616", e_range, 0},
      {"18446744073709551620", e_range, 0},
      {"99999999999999999999", e_range, 0},
      {"0x10000000000000000", e_range, 0},
      {"02000000000000000000000", e_range, 0},
      {"99999999999999999999x", e_range, 0},
      {"", e_inval, 0},
      {"+", e_inval, 0},
      {"-1", e_inval, 0},
      {"-", e_inval, 0},
      {"++1", e_inval, 0},
      {"08", e_inval, 0},
      {"0x", e_inval, 0},
      {"0xg", e_inval, 0},
      {"1 ", e_inval, 0},
      {" 1", e_inval, 0},
      {"1\n\n", e_inval, 0},
      {"\n", e_inval, 0},
      {"1a", e_inval, 0},
      {"a", e_inval, 0},
      {"1\0"sv, e_inval, 0},
  };
  for (row const& r : rows) {
    CAPTURE(r.text);
    u64 value = 99;
    CHECK(parse_unsigned(r.text, value) == r.status);
    CHECK(value == (r.status == 0 ? r.value : 99));
  }
}

TEST_CASE("param_text: signed numbers") {
  struct row {
    std::string_view text;
    int status;
    i64 value;
  };
  row const rows[] = {
      {"-1", 0, -1},
      {"-0", 0, 0},
      {"+5", 0, 5},
      {"-0x10", 0, -16},
      {"-010\n", 0, -8},
      {"9223372036854775807", 0, 0x7fffffffffffffff},
      {"-9223372036854775808", 0, -0x7fffffffffffffff - 1},
      {"9223372036854775808", e_range, 0},
      {"-9223372036854775809", e_range, 0},
      {"-18446744073709551615", e_range, 0},
      {"99999999999999999999", e_range, 0},
      {"-+1", e_inval, 0},
      {"+-1", e_inval, 0},
      {"--1", e_inval, 0},
      {"-", e_inval, 0},
      {"", e_inval, 0},
      {"- 1", e_inval, 0},
  };
  for (row const& r : rows) {
    CAPTURE(r.text);
    i64 value = 99;
    CHECK(parse_signed(r.text, value) == r.status);
    CHECK(value == (r.status == 0 ? r.value : 99));
  }
}

static_assert([] {
  u64 n = 0;
  return parse_unsigned("0x20"sv, n) == 0 && n == 32;
}());
