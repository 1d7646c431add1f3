// SPDX-License-Identifier: MIT
// Runs commands: from -c, from a script, from the prompt.
#pragma once

#include "host.hpp"
#include "module_index.hpp"
#include "words.hpp"

#include <map>
#include <span>

namespace linux_like {

class shell;

/// One command; the words are those behind its name.
struct command {
  const char* name;
  const char* usage; ///< of the words
  const char* help;
  void (*run)(shell& self, std::span<const word> words);
  /// What may follow: completed at the prompt.
  enum class operand { none, file, module, known_module, symbol, path } expects = operand::none;
};

std::span<const command> all_commands();

class shell {
public:
  explicit shell(host_options options);

  /// Runs one command. Throws refusal.
  void run(std::span<const word> words);
  /// Runs commands up to the first that is refused, whose message goes to stderr; 0 or 1.
  int run_script(std::string_view script);
  /// The prompt; 0.
  int interact();

  linux_like::host host;
  module_index index;                                                 ///< modules below --root
  std::map<std::string, std::vector<std::byte>, std::less<>> buffers; ///< of `call`
  bool finished = false;                                              ///< `exit` was called
};

/// Prints `ENAME: message` to stderr.
void print_refusal(const refusal& no);

} // namespace linux_like
