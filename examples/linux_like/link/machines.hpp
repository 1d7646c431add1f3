// SPDX-License-Identifier: MIT
// The architectures of the library as a run-time choice: by e_machine, class and byte order.
#pragma once

#include "../findings.hpp"
#include "inspect.hpp"
#include "link.hpp"

#include <string_view>

namespace linux_like {

/// What tools do for objects of one architecture.
struct machine {
  std::string_view name;
  linked_image (*link)(const link_request& request);
  module_summary (*modinfo)(kmodld::byte_view bytes);
  void (*check)(kmodld::byte_view bytes, findings& out);
  module_map (*map)(const std::string& file, kmodld::byte_view bytes);
};

/// The architecture of an object. Throws refusal: ENOEXEC for what is no ELF object, or for a
/// machine that the library does not know.
const machine& machine_of(kmodld::byte_view bytes);

/// The same if the object is for another architecture than this program; null for its own and for
/// what is no object of any.
const machine* foreign_machine(kmodld::byte_view bytes);

/// The list of architectures is compiled in so many parts, side by side (machines_part.cpp).
inline constexpr std::size_t machine_parts = 8;

/// The architecture of an object if it is one of a part's, else null; only its header is looked at.
template <std::size_t Part>
const machine* machine_in_part(kmodld::byte_view bytes);

} // namespace linux_like
