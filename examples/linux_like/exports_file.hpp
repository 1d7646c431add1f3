// SPDX-License-Identifier: MIT
// Module.symvers: what a kernel and its modules export, with CRCs, as kernel headers packages have
// it. Lines: CRC, name, owner (vmlinux or a module's path), EXPORT_SYMBOL[_GPL], namespace.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace linux_like {

struct export_line {
  std::string name;
  std::string name_space;
  std::uint32_t crc = 0;
  bool gpl_only = false;
};

struct exports_file {
  std::vector<export_line> kernel;
  /// Which module exports a symbol (`fs/jbd2/jbd2`): such symbols come with the module.
  std::map<std::string, std::string, std::less<>> modules;
};

/// Throws refusal.
exports_file read_exports_file(const std::filesystem::path& file);

} // namespace linux_like
