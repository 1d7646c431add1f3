// SPDX-License-Identifier: MIT
// The prompt: history and completion by libedit.
#include "shell.hpp"
#include "virtual_files.hpp"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>

#include <editline/readline.h>

namespace linux_like {
namespace {

shell* current; ///< libedit's callbacks get no context
std::vector<std::string> candidates;

void add_paths(const std::string& text) {
  const std::size_t slash = text.rfind('/');
  const std::string directory = slash == text.npos ? "/" : text.substr(0, slash + 1);
  try {
    for (const file_entry& e : list_files(current->host, directory))
      candidates.push_back((slash == text.npos ? "" : directory) + e.name +
                           (e.type == 'd' ? "/" : ""));
  } catch (const refusal&) {
    return; // no such directory: nothing to offer
  }
}

/// What may stand at the cursor: the first word is a command, which says what follows.
void collect(const std::string& line, const std::string& text) {
  candidates.clear();
  const std::size_t begin = line.find_first_not_of(' ');
  const std::size_t end = begin == line.npos ? begin : line.find(' ', begin);
  if (end == line.npos) {
    for (const command& c : all_commands())
      candidates.emplace_back(c.name);
    return;
  }
  const std::string name = line.substr(begin, end - begin);
  for (const command& c : all_commands()) {
    if (c.name != name)
      continue;
    switch (c.expects) {
    case command::operand::module:
      for (const kmodld::module& m : current->host.loader.modules())
        candidates.emplace_back(m.name());
      break;
    case command::operand::known_module: candidates = current->index.names(); break;
    case command::operand::symbol:
      for (const kmodld::module& m : current->host.loader.modules())
        kmodld::for_each_symbol<elf_format>(m, [](kmodld::address, char letter, auto symbol) {
          if (letter == 't' || letter == 'T')
            candidates.emplace_back(symbol);
        });
      break;
    case command::operand::path: add_paths(text); break;
    default: break;
    }
  }
}

char* next_candidate(const char* text, int state) {
  static std::size_t at;
  if (state == 0)
    at = 0;
  const std::string_view prefix = text;
  while (at < candidates.size())
    if (const std::string& one = candidates[at++]; one.starts_with(prefix))
      return strdup(one.c_str());
  return nullptr;
}

char** complete(const char* text, int, int) {
  collect(std::string(rl_line_buffer, static_cast<std::size_t>(rl_point)), text);
  if (candidates.empty())
    return nullptr; // libedit completes file names
  rl_attempted_completion_over = 1;
  rl_completion_append_character = candidates.front().starts_with('/') ? '\0' : ' ';
  return rl_completion_matches(text, next_candidate);
}

} // namespace

int shell::interact() {
  current = this;
  rl_readline_name = "linux_like";
  rl_initialize();
  rl_attempted_completion_function = complete;
  using_history();
  fmt::print("A Linux-like kernel in this process; `help` lists the commands.\n");
  while (!finished) {
    const std::unique_ptr<char, void (*)(void*)> line(readline("linux_like> "), std::free);
    if (!line)
      break;
    if (*line.get() != '\0')
      add_history(line.get());
    run_script(line.get());
  }
  return 0;
}

} // namespace linux_like
