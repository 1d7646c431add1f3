// SPDX-License-Identifier: MIT
// The files that this kernel shows: /proc and /sys/module.
#pragma once

#include "host.hpp"

namespace linux_like {

/// Whether a path lies in the tree, and not on the disk.
bool is_virtual(std::string_view path);
/// All throw refusal: ENOENT, EISDIR, ENOTDIR, EACCES, what a parameter answers.
std::string read_file(host& self, std::string_view path);
void write_file(host& self, std::string_view path, std::string_view text);

struct file_entry {
  std::string name;
  char type = '-'; ///< '-', 'd' or 'l'
  unsigned mode = 0;
  std::string target; ///< of a link
};
/// What is in a directory, or the file itself.
std::vector<file_entry> list_files(host& self, std::string_view path);

} // namespace linux_like
