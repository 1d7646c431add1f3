// SPDX-License-Identifier: MIT
// The few string operations that the loader needs, without a C library.
//
// std::string_view's own find, substr and conversion from a pointer call memchr, strlen and a
// throw helper, which a kernel does not have.
#pragma once

#include <kmodld/address.hpp>

#include <span>
#include <string_view>

namespace kmodld {

using namespace std::string_view_literals;
using byte_view = std::span<const std::byte>;

/// The part of `s` from `from` on; empty if `from` lies beyond the end.
constexpr std::string_view tail(std::string_view s, std::size_t from) noexcept {
  return from >= s.size() ? std::string_view{} : std::string_view{s.data() + from, s.size() - from};
}

constexpr std::string_view head(std::string_view s, std::size_t count) noexcept {
  return count >= s.size() ? s : std::string_view{s.data(), count};
}

constexpr bool equal(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size())
    return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] != b[i])
      return false;
  return true;
}

constexpr bool starts_with(std::string_view s, std::string_view prefix) noexcept {
  return s.size() >= prefix.size() && equal(head(s, prefix.size()), prefix);
}

/// Index of the first `c` at or after `from`; s.size() if there is none.
constexpr std::size_t index_of(std::string_view s, char c, std::size_t from = 0) noexcept {
  while (from < s.size() && s[from] != c)
    ++from;
  return from < s.size() ? from : s.size();
}

/// A NUL-terminated string of the loader's own making (never of an image).
constexpr std::string_view c_string(char const* s) noexcept {
  std::size_t n = 0;
  while (s != nullptr && s[n] != '\0')
    ++n;
  return {s, n};
}

/// The string that begins at `offset` of a table of NUL-terminated strings. A last string without
/// terminator ends with the table, one longer than `longest` is cut; an offset beyond the table
/// gives the empty string.
inline std::string_view string_at(byte_view table, u64 offset,
                                  std::size_t longest = ~std::size_t{0}) noexcept {
  if (offset >= table.size())
    return {};
  std::string_view rest{reinterpret_cast<char const*>(table.data()) + offset,
                        table.size() - static_cast<std::size_t>(offset)};
  rest = head(rest, longest);
  return head(rest, index_of(rest, '\0'));
}

/// Whether the string at `offset` of a table is `wanted`, without looking for its end.
inline bool is_string_at(byte_view table, u64 offset, std::string_view wanted) noexcept {
  if (offset >= table.size() || wanted.size() >= table.size() - offset)
    return false;
  auto const* s = reinterpret_cast<char const*>(table.data()) + offset;
  return equal({s, wanted.size()}, wanted) && s[wanted.size()] == '\0';
}

inline std::string_view as_text(byte_view bytes) noexcept {
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

/// Copies as much of `s` as fits into `out` with its NUL; returns the number of characters copied.
constexpr std::size_t copy_text(std::span<char> out, std::string_view s) noexcept {
  if (out.empty())
    return 0;
  std::size_t n = s.size() < out.size() ? s.size() : out.size() - 1;
  for (std::size_t i = 0; i < n; ++i)
    out[i] = s[i];
  out[n] = '\0';
  return n;
}

} // namespace kmodld
