// SPDX-License-Identifier: MIT
// The modules of Debian's kernel packages, where tests/run.sh has unpacked them.
//
//   std::optional<byte_vector> image = kernel_module("6_1", "crc-itu-t");
//   if (!image)
//     return; // said 'SKIPPED: reason', which tests/support/count.sh counts
#pragma once

#include "support/files.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>

namespace kmodld::test {

/// Root of the unpacked package: KMODLD_ROOT_6_1, KMODLD_ROOT_6_12 ...; nothing if it is not here.
inline std::optional<std::filesystem::path> kernel_root(std::string const& kernel) {
  char const* root = std::getenv(("KMODLD_ROOT_" + kernel).c_str());
  if (root == nullptr || *root == '\0')
    return std::nullopt;
  return root;
}

/// Every module file of a package, sorted.
inline std::vector<std::filesystem::path> all_modules(std::filesystem::path const& root) {
  std::vector<std::filesystem::path> found;
  for (char const* lib : {"lib/modules", "usr/lib/modules"}) {
    std::error_code none;
    std::filesystem::recursive_directory_iterator walk{root / lib, none};
    if (none)
      continue;
    for (auto const& entry : walk) {
      std::string name = entry.path().filename().string();
      if (!entry.is_symlink() && (name.ends_with(".ko") || name.ends_with(".ko.xz")))
        found.push_back(entry.path());
    }
    if (!found.empty())
      break;
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// A module by the base name of its file, without suffix, decompressed. Says why there is none.
inline std::optional<byte_vector> kernel_module(std::string const& kernel,
                                                std::string const& name) {
  std::optional<std::filesystem::path> root = kernel_root(kernel);
  if (!root) {
    std::printf("SKIPPED: %s: no kernel package %s here\n", name.c_str(), kernel.c_str());
    return std::nullopt;
  }
  for (std::filesystem::path const& p : all_modules(*root)) {
    std::string file = p.filename().string();
    if (file == name + ".ko" || file == name + ".ko.xz")
      return read_maybe_xz(p);
  }
  std::printf("SKIPPED: %s: not in the kernel package %s\n", name.c_str(), kernel.c_str());
  return std::nullopt;
}

} // namespace kmodld::test
