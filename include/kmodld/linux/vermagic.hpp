// SPDX-License-Identifier: MIT
// Version magic: the kernel release and the options that change the layout of structures, as one
// string (same_magic of kernel/module/version.c).
#pragma once

#include <kmodld/text.hpp>

namespace kmodld {

/// Byte equality, trailing spaces included. `has_crcs` (a kernel with symbol versions and a module
/// with a `__versions` section): what stands before the first space, the release, does not count.
constexpr bool same_magic(std::string_view module, std::string_view kernel,
                          bool has_crcs) noexcept {
  if (has_crcs) {
    module = tail(module, index_of(module, ' '));
    kernel = tail(kernel, index_of(kernel, ' '));
  }
  return equal(module, kernel);
}

} // namespace kmodld
