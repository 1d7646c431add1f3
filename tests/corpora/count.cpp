// SPDX-License-Identifier: MIT
// The count to compare with: by <elf.h> of the C library and nothing of kmodld's ELF code.
#include "corpora/link.hpp"

#include <elf.h>

#include <bit>
#include <cstring>

namespace kmodld::corpora {
namespace {

template <class T>
T fixed(T n, bool swap) {
  if (!swap)
    return n;
  T out = 0;
  for (std::size_t i = 0; i < sizeof n; ++i) {
    out = static_cast<T>(out << 8 | (n & 0xff));
    n = static_cast<T>(n >> 8);
  }
  return out;
}

template <class T>
bool read(byte_view bytes, u64 offset, T& out) {
  if (offset > bytes.size() || sizeof out > bytes.size() - offset)
    return false;
  std::memcpy(&out, bytes.data() + offset, sizeof out);
  return true;
}

template <class Ehdr, class Shdr, class Rel, class Rela>
u64 count(byte_view bytes, bool swap) {
  Ehdr h;
  if (!read(bytes, 0, h))
    return 0;
  auto const header = [&](unsigned i, Shdr& s) {
    return read(bytes, fixed(h.e_shoff, swap) + u64{i} * sizeof s, s);
  };
  Shdr names;
  if (!header(fixed(h.e_shstrndx, swap), names))
    return 0;
  u64 sum = 0;
  for (unsigned i = 1; i < fixed(h.e_shnum, swap); ++i) {
    Shdr s, target;
    if (!header(i, s))
      return 0;
    u32 const type = fixed(s.sh_type, swap);
    if ((type != SHT_REL && type != SHT_RELA) || !header(fixed(s.sh_info, swap), target) ||
        (fixed(target.sh_flags, swap) & SHF_ALLOC) == 0)
      continue;
    // Initial values of per-CPU data are copied as they are.
    constexpr char percpu[] = ".data..percpu";
    char name[sizeof percpu];
    if (read(bytes, fixed(names.sh_offset, swap) + u64{fixed(target.sh_name, swap)}, name) &&
        std::memcmp(name, percpu, sizeof percpu) == 0)
      continue;
    sum += fixed(s.sh_size, swap) / (type == SHT_REL ? sizeof(Rel) : sizeof(Rela));
  }
  return sum;
}

} // namespace

u64 count_relocations(byte_view bytes) {
  unsigned char ident[EI_NIDENT];
  if (!read(bytes, 0, ident))
    return 0;
  bool const swap = (ident[EI_DATA] == ELFDATA2LSB) != (std::endian::native == std::endian::little);
  return ident[EI_CLASS] == ELFCLASS64
             ? count<Elf64_Ehdr, Elf64_Shdr, Elf64_Rel, Elf64_Rela>(bytes, swap)
             : count<Elf32_Ehdr, Elf32_Shdr, Elf32_Rel, Elf32_Rela>(bytes, swap);
}

} // namespace kmodld::corpora
