// SPDX-License-Identifier: MIT
// Every eighth architecture of the library's list. The file is compiled once a part, side by side,
// with the part's number as LINUX_LIKE_PART.
#include "link_with.hpp"

#include <kmodld/arch/all.hpp>

#include <utility>

namespace linux_like {

namespace {

template <std::size_t Part, std::size_t Number, class Arch>
void look_at(kmodld::byte_view bytes, const machine*& found) {
  if constexpr (Number % machine_parts == Part)
    if (found == nullptr && is_object_for<Arch>(bytes))
      found = &machine_for<Arch>();
}

template <std::size_t Part, class... Arch>
const machine* look_in(kmodld::arch::list<Arch...>, kmodld::byte_view bytes) {
  const machine* found = nullptr;
  [&]<std::size_t... Number>(std::index_sequence<Number...>) {
    (look_at<Part, Number, Arch>(bytes, found), ...);
  }(std::index_sequence_for<Arch...>());
  return found;
}

} // namespace

template <std::size_t Part>
const machine* machine_in_part(kmodld::byte_view bytes) {
  static_assert(Part < machine_parts);
  return look_in<Part>(kmodld::arch::all(), bytes);
}

template const machine* machine_in_part<LINUX_LIKE_PART>(kmodld::byte_view bytes);

} // namespace linux_like
