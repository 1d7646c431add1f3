// SPDX-License-Identifier: MIT
// The few string operations that the loader needs, without a C library.
//
// std::string_view's own find, substr and conversion from a pointer call memchr, strlen and a
// throw helper, which a kernel does not have.
#pragma once

#include <kmodld/address.hpp>

#include <bit>
#include <span>
#include <string_view>
#include <type_traits>

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

namespace detail {

/// Strings are read in words of the host's registers; memory of any alignment.
using text_word = std::uintptr_t;

inline text_word load_word(char const* p) noexcept {
  text_word w;
  __builtin_memcpy(&w, p, sizeof w);
  return w;
}

inline constexpr text_word ones = ~text_word{0} / 0xff; ///< 1 in each byte

/// Whether a byte is zero.
constexpr bool has_zero_byte(text_word w) noexcept { return ((w - ones) & ~w & ones * 0x80) != 0; }

/// The number of the first zero byte in memory order, of which there is one. Not by counting zero
/// bits, which is a call of a library where there is no instruction for it.
constexpr std::size_t zero_byte_of(text_word w) noexcept {
  constexpr text_word low = ones * 0x7f;
  constexpr unsigned bits = 8 * sizeof(text_word);
  text_word const zero = ~(((w & low) + low) | w | low); // 0x80 in each byte that is 0
  if constexpr (std::endian::native == std::endian::little) {
    text_word const below = (zero - 1) & ~zero;
    return static_cast<std::size_t>((below >> 7 & ones) * ones >> (bits - 8));
  } else {
    unsigned at = 0;
    while ((zero >> (bits - 1 - at) & 1) == 0)
      at += 8;
    return at / 8;
  }
}

// Not inline: they are called from everywhere.
[[gnu::noinline]] inline bool same_bytes(char const* a, char const* b, std::size_t n) noexcept {
  constexpr std::size_t step = sizeof(text_word);
  if (n < step) {
    while (n != 0 && a[n - 1] == b[n - 1])
      --n;
    return n == 0;
  }
  for (std::size_t i = 0; i < n - step; i += step)
    if (load_word(a + i) != load_word(b + i))
      return false;
  return load_word(a + n - step) == load_word(b + n - step); // overlaps the one before
}

[[gnu::noinline]] inline std::size_t find_byte(char const* s, std::size_t n, char c) noexcept {
  constexpr std::size_t step = sizeof(text_word);
  std::size_t i = 0;
  text_word const wanted = ones * static_cast<unsigned char>(c);
  for (; n - i >= step; i += step)
    if (text_word const w = load_word(s + i) ^ wanted; has_zero_byte(w))
      return i + zero_byte_of(w);
  while (i < n && s[i] != c)
    ++i;
  return i;
}

} // namespace detail

constexpr bool equal(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size())
    return false;
  if (!std::is_constant_evaluated())
    return detail::same_bytes(a.data(), b.data(), a.size());
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
  std::size_t const n = s.size();
  if (from >= n)
    return n;
  if (!std::is_constant_evaluated())
    return from + detail::find_byte(s.data() + from, n - from, c);
  while (from < n && s[from] != c)
    ++from;
  return from;
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
  if (std::is_constant_evaluated())
    for (std::size_t i = 0; i < n; ++i)
      out[i] = s[i];
  else if (n != 0)
    __builtin_memcpy(out.data(), s.data(), n);
  out[n] = '\0';
  return n;
}

} // namespace kmodld
