// SPDX-License-Identifier: MIT
// What loading one module of the ground truth gave.
#pragma once

#include "verify/record.hpp"

#include <kmodld/error_text.hpp>

namespace kmodld::verify {

/// A section as it is in memory after apply_relocations and post_relocation.
struct loaded_section {
  u32 index = 0;
  std::string name;
  u64 address = 0, size = 0;
  std::string region;      ///< "core", "init", a kind, or "percpu"
  test::byte_vector bytes; ///< size bytes; empty for what has none to compare (linked NOBITS)
  bool has_bytes = true;
};

struct outcome {
  std::string skipped; ///< not empty: why this module cannot be judged here
  std::string refused; ///< not empty: the loader's error
  std::vector<region_record> regions;
  std::vector<loaded_section> sections;
  std::set<std::string> asked; ///< names that the resolver was asked for
  u64 percpu = 0;
  std::optional<u64> symtab, strtab;
  u64 got_address = 0, plt_address = 0; ///< s390x: what stands before the first section
  test::byte_vector got, plt;
  std::vector<std::string> complaints; ///< anything else that was wrong, in words
};

inline std::string text_of(error const& e) {
  char buffer[512];
  format(e, buffer);
  return std::string{errno_name(e.os_errno())} + ": " + buffer;
}

} // namespace kmodld::verify
