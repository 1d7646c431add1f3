// SPDX-License-Identifier: MIT
// cat, ls, write on the tree of this kernel; dmesg.
#include "../virtual_files.hpp"
#include "commands.hpp"

namespace linux_like::commands {

void cat(shell& self, words given) {
  expect_words(given, 1, ~std::size_t{0}, "cat PATH");
  for (const word& path : given)
    fmt::print("{}", read_file(self.host, path.text));
}

void ls(shell& self, words given) {
  expect_words(given, 0, 1, "ls [PATH]");
  for (const file_entry& e : list_files(self.host, given.empty() ? "/" : given[0].text)) {
    std::string rights = "rwxrwxrwx";
    for (unsigned bit = 0; bit < 9; ++bit)
      if ((e.mode >> (8 - bit) & 1) == 0)
        rights[bit] = '-';
    fmt::print("{}{} {}{}{}\n", e.type, rights, e.name, e.target.empty() ? "" : " -> ", e.target);
  }
}

void write(shell& self, words given) {
  expect_words(given, 2, ~std::size_t{0}, "write PATH TEXT");
  std::string text = given[1].text;
  for (const word& more : given.subspan(2))
    text += ' ' + more.text;
  write_file(self.host, given[0].text, text);
}

void dmesg(shell&, words given) {
  expect_words(given, 0, 0, "dmesg");
  for (const log_record& line : log_records())
    fmt::print("[{:>5}.{:06}] {}\n", line.microseconds / 1'000'000, line.microseconds % 1'000'000,
               line.text);
}

} // namespace linux_like::commands
