// SPDX-License-Identifier: MIT
// How a command says no: an errno and a sentence, printed as `ENAME: message`.
#pragma once

#include <kmodld/error_text.hpp>

#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

namespace linux_like {

struct refusal : std::runtime_error {
  /// `number` is a positive errno; the message is the system's own where none is given.
  explicit refusal(int number_, const std::string& message)
      : std::runtime_error(message), number(number_) {}
  explicit refusal(int number_) : refusal(number_, std::strerror(number_)) {}

  int number;
};

/// Names come from files and may hold anything: what a terminal could take for a command becomes
/// `?`, but for those of `kept`.
inline std::string printable(std::string_view text, std::string_view kept = {}) {
  std::string out(text);
  for (char& c : out)
    if ((static_cast<unsigned char>(c) < ' ' || c == 0x7f) && kept.find(c) == kept.npos)
      c = '?';
  return out;
}

/// The loader's words for an error.
inline std::string text_of(const kmodld::error& error) {
  char line[512];
  kmodld::format(error, line);
  return printable(line);
}

inline refusal refused(const kmodld::error& error) {
  return refusal(error.os_errno(), text_of(error));
}

/// `ENOENT: no such file`
inline std::string text_of(const refusal& no) {
  const char* name = strerrorname_np(no.number);
  return (name != nullptr ? std::string(name) : "E" + std::to_string(no.number)) + ": " + no.what();
}

} // namespace linux_like
