// SPDX-License-Identifier: MIT
// The build id of a module: the GNU note of type 3 (lib/buildid.c, gABI chapter 5 for notes).
#pragma once

#include <kmodld/elf/types.hpp>
#include <kmodld/text.hpp>

namespace kmodld {

inline constexpr std::size_t build_id_size_max = 20;

/// The id in the bytes of a note section, 1 to 20 bytes; empty if it holds none. A note that
/// claims more bytes than there are ends the search.
template <class Format>
byte_view find_build_id(byte_view notes) noexcept {
  struct header {
    typename Format::word32 namesz, descsz, type;
  };
  constexpr u32 build_id_type = 3;
  constexpr std::string_view gnu{"GNU\0", 4};
  while (notes.size() > sizeof(header)) {
    header h;
    __builtin_memcpy(&h, notes.data(), sizeof h);
    notes = notes.subspan(sizeof h);
    u64 name_room = round_up(u64{h.namesz}, u64{4});
    u64 needed = name_room + h.descsz;
    if (needed > notes.size())
      return {};
    if (h.type == build_id_type && h.namesz == gnu.size() && h.descsz != 0 &&
        h.descsz <= build_id_size_max && equal(as_text(notes.first(gnu.size())), gnu))
      return notes.subspan(static_cast<std::size_t>(name_room), h.descsz);
    // The last note may lack the padding behind it.
    needed = round_up(needed, u64{4});
    if (needed >= notes.size())
      return {};
    notes = notes.subspan(static_cast<std::size_t>(needed));
  }
  return {};
}

} // namespace kmodld
