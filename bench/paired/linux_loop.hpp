// SPDX-License-Identifier: MIT
// What Linux's loader does with the relocations of an x86-64 module, written from the description
// of its behaviour: one after the other, the symbol read from the symbol table, the place tested,
// the value written by a function (memcpy, or the one that patches text), what was written
// compared. It bounds neither the place nor the symbol's number.
#pragma once

#include <kmodld/arch/x86_64.hpp>

#include <cstring>

namespace kmodld::bench {

/// 0, or which check refused it.
template <class Write>
[[gnu::always_inline]] inline int
linux_relocate(section_relocations<arch::x86_64::relocation> const& in,
               arch::x86_64::format::sym const* symtab, Write write) {
  auto const stored = [](std::byte const* p, auto value) {
    std::memcpy(&value, p, sizeof value);
    return value;
  };
  for (auto const& r : in.relocations) {
    u64 const offset = r.r_offset;
    std::byte* const place = in.bytes.data() + offset;
    auto const& symbol = symtab[arch::x86_64::symbol_of(r)];
    u64 value = symbol.st_value + arch::x86_64::addend_of(r);
    switch (arch::x86_64::type_of(r)) {
    case 0: continue;
    case 24: value -= in.place.value + offset; [[fallthrough]];
    case 1:
      if (stored(place, u64{}) != 0)
        return 1;
      write(place, &value, 8);
      break;
    case 10:
      if (stored(place, u32{}) != 0)
        return 1;
      write(place, &value, 4);
      if (value != stored(place, u32{}))
        return 2;
      break;
    case 11:
      if (stored(place, u32{}) != 0)
        return 1;
      write(place, &value, 4);
      if (static_cast<i64>(value) != stored(place, i32{}))
        return 2;
      break;
    case 2:
    case 4:
      if (stored(place, u32{}) != 0)
        return 1;
      value -= in.place.value + offset;
      write(place, &value, 4);
      break;
    default: return 3;
    }
  }
  return 0;
}

/// As the kernel calls it: through a pointer that the compiler does not see through.
[[gnu::noinline]] inline int
linux_loop_pointer(section_relocations<arch::x86_64::relocation> const& in,
                   arch::x86_64::format::sym const* symtab) {
  static void* (*volatile text_writer)(void*, void const*, std::size_t) = std::memcpy;
  auto* const writer = text_writer;
  return linux_relocate(in, symtab, [writer](void* to, void const* from, std::size_t size) {
    writer(to, from, size);
  });
}

/// The best that could be made of it: everything inlined.
[[gnu::noinline]] inline int
linux_loop_inlined(section_relocations<arch::x86_64::relocation> const& in,
                   arch::x86_64::format::sym const* symtab) {
  return linux_relocate(in, symtab, [](void* to, void const* from, std::size_t size) {
    if (size == 8)
      std::memcpy(to, from, 8);
    else
      std::memcpy(to, from, 4);
  });
}

} // namespace kmodld::bench
