// SPDX-License-Identifier: MIT
// What merging several objects gives.
#pragma once

#include "link.hpp"

namespace linux_like {

/// Where a section of the merged object comes from; input `none` for the one of common symbols.
struct section_origin {
  static constexpr std::size_t none = ~std::size_t{0};
  std::size_t input = none;
  kmodld::u32 index = 0;
};

/// The one object and what is known of its parts. Section 0 and symbol 0 are null.
struct merged_object {
  byte_vector bytes;
  std::vector<section_origin> sections;
  std::vector<std::size_t> symbol_input; ///< the file that defines it, else the first to want it
};

} // namespace linux_like
