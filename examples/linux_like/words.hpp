// SPDX-License-Identifier: MIT
// The command language: words with quotes, `;` or a new line between commands, `#` comments.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace linux_like {

struct word {
  std::string text;
  bool quoted = false; ///< some of it stood in quotes: never an option, a number or an operator
};

/// Cuts the next command off `script`; false at its end. Inside "..." a backslash makes \n \t \r \0
/// \\ \" and \xHH, inside '...' everything is itself. Throws refusal where a quote is not closed.
bool next_command(std::string_view& script, std::vector<word>& out);

} // namespace linux_like
