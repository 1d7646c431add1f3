// SPDX-License-Identifier: MIT
// What relocating one section needs: nothing of a loader, nothing of an image's headers.
#pragma once

#include <kmodld/elf/types.hpp>
#include <kmodld/error.hpp>

namespace kmodld {

/// One attribute byte a symbol.
enum : u8 {
  symbol_undefined = 1, ///< SHN_UNDEF in the object
  symbol_weak = 2,
  symbol_function = 4,    ///< STT_FUNC
  symbol_unresolved = 8,  ///< undefined, weak, and nobody defines it
  symbol_other_shift = 5, ///< bits 5-7: bits 5-7 of st_other (powerpc64 local entry)
};

/// The symbols of an object: final values, dense by symbol number, and optionally attributes.
struct symbol_values {
  std::span<u64 const> values;
  std::span<u8 const> attributes; ///< empty, or as long as values
  bool unresolved_weak = false;   ///< some attribute has symbol_unresolved
};

/// One relocation section and its target. `Relocation` is rel or rela of the architecture's format.
template <class Relocation>
struct section_relocations {
  std::span<std::byte> bytes; ///< the target section, where it is written
  address place;              ///< the target section, where it will run
  byte_view original;         ///< its bytes in the object: for REL addends and to find a fault
  std::span<Relocation const> relocations;
};

namespace reloc {

/// The operands of one relocation: symbol value, addend, address of the place, symbol number.
struct operands {
  u64 s, a, p;
  u32 symbol;
};

} // namespace reloc

} // namespace kmodld
