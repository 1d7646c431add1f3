// SPDX-License-Identifier: MIT
// A sound object of each format, and what check() says of it after some damage.
#pragma once

#include <kmodld/elf/image.hpp>

#include "support/elf_builder.hpp"

#define KMODLD_ALL_FORMATS elf64_le, elf64_be, elf32_le, elf32_be

namespace kmodld::test {

using namespace kmodld::elf;

inline constexpr u16 our_machine = 62;

template <class F>
struct checked {
  image<F> view;
  error e;
  errc code;

  explicit checked(byte_view bytes)
      : code{image<F>::check(
            bytes, [](auto const& h) { return h.e_machine == our_machine; }, view, e)} {}
};

/// 1 .text, 2 .bss, 3 .data, 4 .rela.text, 5 .symtab, 6 .strtab, 7 .shstrtab
template <class F>
elf_file<F> sound() {
  elf_builder<F> b{our_machine};
  u32 text = b.section(".text", sht_progbits, shf_alloc | shf_execinstr, byte_vector(40), 16);
  b.nobits(".bss", shf_alloc | shf_write, 1 << 20, 32);
  b.section(".data", sht_progbits, shf_alloc | shf_write, bytes_of({1, 2, 3, 4, 5}));
  u32 f = b.symbol("f", text, 8);
  b.rela(text, 4, 2, f, -4);
  return b.build();
}

template <class F>
using word_of = typename F::word_type;

template <class F>
constexpr word_of<F> highest = static_cast<word_of<F>>(~word_of<F>{0});

/// What check() says of a sound file after `damage`.
template <class F, class Damage>
checked<F> after(Damage damage) {
  elf_file<F> f = sound<F>();
  damage(f);
  // A copy of exact size, so that a sanitizer sees a read of the first byte beyond.
  static byte_vector kept;
  kept = byte_vector(f.bytes.begin(), f.bytes.end());
  return checked<F>{kept};
}

} // namespace kmodld::test
