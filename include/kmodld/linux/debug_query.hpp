// SPDX-License-Identifier: MIT
// The query language of dynamic debug: `func foo line 10-20 +p; module bar =_`, as written to
// /proc/dynamic_debug/control or given as dyndbg= (Documentation/admin-guide/dynamic-debug-howto).
#pragma once

#include <kmodld/errc.hpp>
#include <kmodld/linux/parse_args.hpp>

namespace kmodld {

/// Flags of a debug message: whether it is printed, and what its prefix tells.
enum : u8 {
  debug_print = 1u << 0,
  debug_module = 1u << 1,
  debug_function = 1u << 2,
  debug_line = 1u << 3,
  debug_thread = 1u << 4,
  debug_source = 1u << 5,
  debug_stack = 1u << 6,
};

struct debug_flag {
  char letter;
  u8 bit;
};

/// In the order in which they are shown.
inline constexpr debug_flag debug_flags[] = {
    {'p', debug_print}, {'m', debug_module}, {'f', debug_function}, {'s', debug_source},
    {'l', debug_line},  {'t', debug_thread}, {'d', debug_stack},
};

/// Which messages are meant (null data: any), and what becomes of their flags. Views into the
/// query's text.
struct debug_query {
  std::string_view module;
  std::string_view file;
  std::string_view function;
  std::string_view format; ///< with its escapes
  std::string_view class_name;
  u32 first_line = 0; ///< 0: any
  u32 last_line = 0;  ///< 0: any
  u8 keep = 0;        ///< new flags = (old & keep) | set
  u8 set = 0;

  constexpr u8 apply(u8 old) const noexcept { return static_cast<u8>((old & keep) | set); }
  constexpr bool holds_line(u32 line) const noexcept {
    return (first_line == 0 || line >= first_line) && (last_line == 0 || line <= last_line);
  }
};

/// Whether `*` (any run) and `?` (any character) in `pattern` can make it `text`.
constexpr bool match_wildcard(std::string_view pattern, std::string_view text) noexcept {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = pattern.size(); // the last `*`, and where the text behind it is tried
  std::size_t retry = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star < pattern.size()) {
      p = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*')
    ++p;
  return p == pattern.size();
}

namespace detail {

/// Reads the character at `at` of a text with C escapes (`\n`, `\"`, octal `\040`) and moves on.
constexpr char unescape(std::string_view s, std::size_t& at) noexcept {
  char c = s[at++];
  if (c != '\\' || at == s.size())
    return c;
  constexpr std::string_view letters = "nrtvfae\\\""sv;
  constexpr std::string_view meanings = "\n\r\t\v\f\a\x1b\\\""sv;
  if (std::size_t i = index_of(letters, s[at]); i < letters.size()) {
    ++at;
    return meanings[i];
  }
  unsigned value = 0;
  std::size_t digits = 0;
  for (; digits < 3 && at < s.size() && s[at] >= '0' && s[at] <= '7'; ++digits)
    value = value * 8 + static_cast<unsigned>(s[at++] - '0');
  return digits == 0 ? c : static_cast<char>(value);
}

constexpr bool begins_with_escaped(std::string_view text, std::string_view escaped) noexcept {
  std::size_t t = 0;
  for (std::size_t at = 0; at < escaped.size(); ++t)
    if (t == text.size() || text[t] != unescape(escaped, at))
      return false;
  return true;
}

/// `N`, `A-B`, `A-` or `-B`; 0 or EINVAL.
constexpr int parse_lines(std::string_view s, debug_query& q) noexcept {
  if (q.first_line != 0 || q.last_line != 0)
    return e_inval;
  u32 value[2] = {0, 0};
  std::size_t dash = index_of(s, '-');
  std::string_view const part[2] = {head(s, dash), tail(s, dash + 1)};
  for (int i = 0; i < 2; ++i)
    for (char c : part[i]) {
      u32 digit = static_cast<u32>(c - '0');
      if (digit > 9 || value[i] > 99'999'999)
        return e_inval;
      value[i] = value[i] * 10 + digit;
    }
  q.first_line = value[0];
  q.last_line = dash == s.size() ? value[0] : value[1];
  return q.last_line != 0 && q.last_line < q.first_line ? e_inval : 0;
}

/// A second match of the same kind is an error.
constexpr int set_once(std::string_view& field, std::string_view value) noexcept {
  if (field.data() != nullptr)
    return e_inval;
  field = value;
  return 0;
}

/// Matching a pattern with wildcards takes time as pattern and text multiplied, for every message.
inline constexpr std::size_t longest_debug_pattern = 255;

constexpr int set_match(debug_query& q, std::string_view key, std::string_view value) noexcept {
  if (value.size() > longest_debug_pattern)
    return e_inval;
  if (equal(key, "func"sv))
    return set_once(q.function, value);
  if (equal(key, "module"sv))
    return set_once(q.module, value);
  if (equal(key, "format"sv))
    return set_once(q.format, value);
  if (equal(key, "class"sv))
    return set_once(q.class_name, value);
  if (equal(key, "line"sv))
    return parse_lines(value, q);
  if (!equal(key, "file"sv))
    return e_inval;
  // file.c:123-130 and file.c:function are short forms.
  std::size_t colon = index_of(value, ':');
  if (int status = set_once(q.file, head(value, colon)))
    return status;
  std::string_view rest = tail(value, colon + 1);
  if (rest.empty())
    return 0;
  char first = static_cast<char>(rest[0] | 0x20);
  if ((first >= 'a' && first <= 'z') || rest[0] == '*' || rest[0] == '?')
    return set_once(q.function, rest);
  return parse_lines(rest, q);
}

constexpr int set_flags(debug_query& q, std::string_view word) noexcept {
  u8 bits = 0;
  for (char c : tail(word, 1)) {
    u8 bit = 0;
    for (debug_flag flag : debug_flags)
      if (flag.letter == c)
        bit = flag.bit;
    if (bit == 0 && c != '_')
      return e_inval;
    bits = static_cast<u8>(bits | bit);
  }
  switch (word.empty() ? '\0' : word[0]) {
  case '+':
    q.keep = 0xff;
    q.set = bits;
    return 0;
  case '-':
    q.keep = static_cast<u8>(~bits);
    q.set = 0;
    return 0;
  case '=':
    q.keep = 0;
    q.set = bits;
    return 0;
  default: return e_inval;
  }
}

/// Cuts the next word, maybe quoted, off `text`: false at the end or at a `#`.
constexpr bool next_word(std::string_view& text, std::string_view& word, int& status) noexcept {
  while (!text.empty() && is_space(text[0]))
    text = tail(text, 1);
  if (text.empty() || text[0] == '#')
    return false;
  char const quote = text[0];
  if (quote == '"' || quote == '\'') {
    std::size_t end = index_of(text, quote, 1);
    if (end == text.size()) {
      status = e_inval;
      return false;
    }
    word = {text.data() + 1, end - 1};
    text = tail(text, end + 1);
    return true;
  }
  std::size_t end = 0;
  while (end < text.size() && !is_space(text[end]))
    ++end;
  word = head(text, end);
  text = tail(text, end);
  return true;
}

} // namespace detail

/// Parses one query, which is matches (`keyword value`) and at last the flags. `module`, if its
/// data is not null, is a match already made, as for X.dyndbg=. 0 or EINVAL.
constexpr int parse_debug_query(std::string_view text, std::string_view module,
                                debug_query& out) noexcept {
  constexpr u32 most_words = 9;
  out = {};
  out.module = module;
  std::string_view words[most_words];
  std::string_view word;
  u32 count = 0;
  int status = 0;
  while (detail::next_word(text, word, status)) {
    if (count == most_words)
      return e_inval;
    words[count++] = word;
  }
  if (status != 0 || (count & 1) == 0)
    return e_inval;
  status = detail::set_flags(out, words[count - 1]);
  for (u32 i = 0; i + 1 < count && status == 0; i += 2)
    status = detail::set_match(out, words[i], words[i + 1]);
  return status;
}

/// Calls f(std::string_view) with each query of a text that separates them by `;` or line feeds;
/// empty ones and comments are left out.
template <class F>
constexpr void for_each_debug_query(std::string_view text, F&& f) {
  while (!text.empty()) {
    std::size_t end = 0;
    while (end < text.size() && text[end] != ';' && text[end] != '\n')
      ++end;
    std::string_view one = head(text, end);
    text = tail(text, end + 1);
    while (!one.empty() && is_space(one[0]))
      one = tail(one, 1);
    if (!one.empty() && one[0] != '#')
      f(one);
  }
}

/// Whether a message's format contains the text of a `format` match; with `^` it begins so.
constexpr bool match_debug_format(std::string_view escaped, std::string_view format) noexcept {
  if (starts_with(escaped, "^"sv))
    return detail::begins_with_escaped(format, tail(escaped, 1));
  for (std::size_t i = 0; i <= format.size(); ++i)
    if (detail::begins_with_escaped(tail(format, i), escaped))
      return true;
  return false;
}

} // namespace kmodld
