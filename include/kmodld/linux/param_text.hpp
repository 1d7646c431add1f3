// SPDX-License-Identifier: MIT
// Numbers and truth values of parameters, read as the kernel reads them (kstrtoull and its family,
// kstrtobool). Also usable for whatever else is configured by text.
#pragma once

#include <kmodld/errc.hpp>
#include <kmodld/text.hpp>

namespace kmodld {

/// Only the first character counts (the second too after `o`): y t 1 on, n f 0 of[f]. The answer
/// is 0 or EINVAL, which leaves `out` alone.
constexpr int parse_bool(std::string_view s, bool& out) noexcept {
  char first = s.empty() ? '\0' : s[0];
  if (first == 'o' || first == 'O')
    switch (s.size() < 2 ? '\0' : s[1]) {
    case 'n':
    case 'N': first = '1'; break;
    case 'f':
    case 'F': first = '0'; break;
    default: break;
    }
  switch (first) {
  case 'y':
  case 'Y':
  case 't':
  case 'T':
  case '1': out = true; return 0;
  case 'n':
  case 'N':
  case 'f':
  case 'F':
  case '0': out = false; return 0;
  default: return e_inval;
  }
}

namespace detail {

/// The value of a digit of a base up to 16; 16 for anything else.
constexpr u32 digit_of(char c) noexcept {
  if (c >= '0' && c <= '9')
    return static_cast<u32>(c - '0');
  c = static_cast<char>(c | 0x20);
  return c >= 'a' && c <= 'f' ? static_cast<u32>(c - 'a' + 10) : 16;
}

/// Digits without sign. More than 64 bits is ERANGE even if garbage follows, as in Linux.
constexpr int parse_magnitude(std::string_view s, u64& out) noexcept {
  u32 base = 10;
  if (s.size() >= 3 && s[0] == '0' && (s[1] | 0x20) == 'x' && digit_of(s[2]) < 16) {
    base = 16;
    s = tail(s, 2);
  } else if (!s.empty() && s[0] == '0') {
    base = 8;
  }
  u64 const most = base == 10 ? ~u64{0} / 10 : base == 16 ? ~u64{0} >> 4 : ~u64{0} >> 3;
  u64 value = 0;
  bool overflow = false;
  std::size_t at = 0;
  for (; at < s.size() && digit_of(s[at]) < base; ++at) {
    overflow = overflow || value > most;
    u64 scaled = value * base;
    value = scaled + digit_of(s[at]);
    overflow = overflow || value < scaled;
  }
  if (overflow)
    return e_range;
  if (at == 0)
    return e_inval;
  if (at < s.size() && s[at] == '\n')
    ++at;
  if (at != s.size())
    return e_inval;
  out = value;
  return 0;
}

} // namespace detail

/// An unsigned number: an optional `+`, then `0x` and hexadecimal, `0` and octal, or decimal
/// digits, then at most one line feed. 0, EINVAL or ERANGE; errors leave `out` alone.
constexpr int parse_unsigned(std::string_view s, u64& out) noexcept {
  return detail::parse_magnitude(starts_with(s, "+"sv) ? tail(s, 1) : s, out);
}

/// The same with an optional `+` or `-`.
constexpr int parse_signed(std::string_view s, i64& out) noexcept {
  bool negative = starts_with(s, "-"sv);
  u64 magnitude = 0;
  int status =
      negative ? detail::parse_magnitude(tail(s, 1), magnitude) : parse_unsigned(s, magnitude);
  if (status != 0)
    return status;
  u64 const limit = (~u64{0} >> 1) + (negative ? 1 : 0);
  if (magnitude > limit)
    return e_range;
  out = static_cast<i64>(negative ? 0 - magnitude : magnitude);
  return 0;
}

} // namespace kmodld
