// SPDX-License-Identifier: MIT
// Linking one module against made-up exports: what main.cpp knows of it. There is a file for each
// architecture that makes its linkers (linker.hpp); linkers.cpp lists them.
#pragma once

#include <kmodld/elf/types.hpp>
#include <kmodld/text.hpp>

#include <span>
#include <string>

namespace kmodld::corpora {

struct linked {
  std::string refused; ///< empty: it was linked
  u64 relocations = 0; ///< of sections that the loader gave a place, as its section table says
  u64 nanoseconds = 0; ///< of one load and its undo
};

/// An architecture with the layout of a range of kernels.
struct linker {
  std::string_view arch;
  bool seven_kinds; ///< Linux 6.4 and later
  bool (*accepts)(byte_view image);
  linked (*link)(byte_view image); ///< not from two threads at once
};

std::span<linker const* const> linkers();

/// Relocations of the object's allocated sections, counted from section headers by nothing of
/// kmodld. 0 if the object is not sound.
u64 count_relocations(byte_view image);

} // namespace kmodld::corpora
