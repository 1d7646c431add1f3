// SPDX-License-Identifier: MIT
// Splits scripts into commands and words.
#include "words.hpp"

#include "refusal.hpp"

namespace linux_like {
namespace {

int digit_of(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  const int letter = (c | 0x20) - 'a';
  return letter >= 0 && letter < 6 ? 10 + letter : -1;
}

/// The character that an escape stands for; `script` begins behind the backslash.
char escaped(std::string_view& script) {
  const char c = script.front();
  script.remove_prefix(1);
  switch (c) {
  case 'n': return '\n';
  case 't': return '\t';
  case 'r': return '\r';
  case '0': return '\0';
  case 'x': break;
  default: return c;
  }
  int value = 0;
  for (int i = 0; i < 2 && !script.empty() && digit_of(script.front()) >= 0; ++i) {
    value = value * 16 + digit_of(script.front());
    script.remove_prefix(1);
  }
  return static_cast<char>(value);
}

/// Appends what stands in quotes; `script` begins behind the opening one.
void take_quoted(std::string_view& script, char quote, std::string& out) {
  while (!script.empty()) {
    const char c = script.front();
    script.remove_prefix(1);
    if (c == quote)
      return;
    if (c == '\\' && quote == '"' && !script.empty())
      out += escaped(script);
    else
      out += c;
  }
  throw refusal(EINVAL, std::string("the quote ") + quote + " is not closed");
}

bool ends_command(char c) { return c == ';' || c == '\n'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

word next_word(std::string_view& script) {
  word out;
  while (!script.empty() && !is_blank(script.front()) && !ends_command(script.front())) {
    const char c = script.front();
    script.remove_prefix(1);
    if (c == '"' || c == '\'') {
      out.quoted = true;
      take_quoted(script, c, out.text);
    } else {
      out.text += c;
    }
  }
  return out;
}

} // namespace

bool next_command(std::string_view& script, std::vector<word>& out) {
  out.clear();
  while (!script.empty()) {
    const char c = script.front();
    if (c == '#') {
      script.remove_prefix(std::min(script.find('\n'), script.size()));
    } else if (ends_command(c)) {
      script.remove_prefix(1);
      if (!out.empty())
        return true;
    } else if (is_blank(c)) {
      script.remove_prefix(1);
    } else {
      out.push_back(next_word(script));
    }
  }
  return !out.empty();
}

} // namespace linux_like
