// SPDX-License-Identifier: MIT
// The modules that are measured: real files of a kernel package, read into memory once.
#pragma once

#include <kmodld/elf/image.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace kmodld::bench {

struct module_file {
  std::filesystem::path path;
  std::vector<std::byte> bytes;

  byte_view view() const { return bytes; }
};

/// Every .ko and .ko.xz below `root`, uncompressed, by path. Throws std::runtime_error.
std::vector<module_file> read_modules(std::filesystem::path const& root);

/// The file of a module, by its name: "xfs". Throws std::runtime_error if there is none.
module_file const& named(std::vector<module_file> const& all, std::string const& name);

/// Numbers of the files, each behind those whose exports it needs.
std::vector<std::size_t> dependency_order(std::vector<module_file> const& all);

/// What modules import and no module exports.
std::vector<std::string> kernel_imports(std::vector<module_file> const& all);

} // namespace kmodld::bench
