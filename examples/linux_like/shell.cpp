// SPDX-License-Identifier: MIT
// Finds commands and runs them.
#include "shell.hpp"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>

namespace linux_like {

shell::shell(host_options options) : host(options), index(options.root) {}

void shell::run(std::span<const word> words) {
  const auto all = all_commands();
  const auto found = std::ranges::find(all, std::string_view(words[0].text),
                                       [](const command& c) { return std::string_view(c.name); });
  if (found == all.end())
    throw refusal(ENOSYS, words[0].text + ": no such command; `help` lists them");
  found->run(*this, words.subspan(1));
}

int shell::run_script(std::string_view script) {
  std::vector<word> words;
  try {
    while (!finished && next_command(script, words))
      run(words);
  } catch (const refusal& no) {
    print_refusal(no);
    return 1;
  }
  return 0;
}

void print_refusal(const refusal& no) {
  std::fflush(stdout);
  fmt::print(stderr, "{}\n", text_of(no));
}

} // namespace linux_like
