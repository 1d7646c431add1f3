// SPDX-License-Identifier: MIT
// The checked view of a relocatable object: after check() no accessor can leave the image.
//
// Mirrors elf_validity_check (Linux 6.1: order, errno and text of each refusal), followed by what
// Linux reads without a check: the names of all sections and the targets of relocation sections.
#pragma once

#include <kmodld/elf/types.hpp>
#include <kmodld/error.hpp>
#include <kmodld/prefetch.hpp>

namespace kmodld::elf {

/// Entries of a table in an image; trailing bytes that make no whole entry are ignored, like Linux
/// does. Entries have alignment 1, see field.
template <class T>
using table = std::span<T const>;

/// A view of an ET_REL object of class and byte order `Format`. It owns nothing: the image must
/// outlive it and stay unchanged.
template <class Format>
class image {
public:
  using ehdr = typename Format::ehdr;
  using shdr = typename Format::shdr;
  using sym = typename Format::sym;

  image() noexcept = default;

  /// Checks `bytes` and makes the view. `machine` decides about e_machine, e_flags and the like:
  /// bool(ehdr const&). On refusal `e` says why and the code is returned.
  template <class Machine>
  static errc check(byte_view bytes, Machine const& machine, image& out, error& e) noexcept;

  ehdr const& header() const noexcept { return *reinterpret_cast<ehdr const*>(bytes_.data()); }
  byte_view bytes() const noexcept { return bytes_; }

  u32 section_count() const noexcept { return static_cast<u32>(sections_.size()); }
  /// The header of section i < section_count().
  shdr const& section(u32 i) const noexcept { return sections_[i]; }

  /// The name of section i; empty for a null section whose name is out of range.
  /// A name of more than longest_name bytes is cut, which none that means something has.
  std::string_view name(u32 i) const noexcept {
    return string_at(names_, section(i).sh_name, longest_name);
  }
  static constexpr std::size_t longest_name = 4096;

  /// Whether section i has this name; reads no more of the table than that takes.
  bool is_named(u32 i, std::string_view wanted) const noexcept {
    return is_string_at(names_, section(i).sh_name, wanted);
  }

  /// The bytes of section i in the file; none for SHT_NULL and SHT_NOBITS.
  byte_view data(u32 i) const noexcept {
    shdr const& s = section(i);
    if (s.sh_type == sht_null || s.sh_type == sht_nobits)
      return {};
    return bytes_.subspan(static_cast<std::size_t>(s.sh_offset),
                          static_cast<std::size_t>(s.sh_size));
  }

  /// Section i as a table of T, one of Format's structures or another of alignment 1.
  template <class T>
  table<T> entries(u32 i) const noexcept {
    static_assert(alignof(T) == 1);
    byte_view d = data(i);
    return {reinterpret_cast<T const*>(d.data()), d.size() / sizeof(T)};
  }

private:
  errc check_sections(error& e) noexcept;

  byte_view bytes_;
  table<shdr> sections_;
  byte_view names_;
};

namespace detail {

inline errc refuse(error& e, errc code, u64 n0 = 0, u64 n1 = 0, u32 section = 0) noexcept {
  e.code = code;
  e.number[0] = n0;
  e.number[1] = n1;
  e.section = section;
  return code;
}

/// Whether [offset, offset + size) lies in `length` bytes, without the sum that could wrap.
constexpr bool in_range(u64 offset, u64 size, u64 length) noexcept {
  return size <= length && offset <= length - size;
}

} // namespace detail

template <class Format>
template <class Machine>
errc image<Format>::check(byte_view bytes, Machine const& machine, image& out, error& e) noexcept {
  using detail::refuse;
  if (bytes.size() < sizeof(ehdr))
    return refuse(e, errc::elf_header_len, bytes.size());
  // Linkers write the section headers last. What is read next comes from memory that nobody has
  // read before: here and below it is under way at once, not one line after the other.
  prefetch(bytes.data() + (bytes.size() - sizeof(ehdr)), sizeof(ehdr));
  out.bytes_ = bytes;
  ehdr const& h = out.header();
  if (h.e_ident[0] != 0x7f || h.e_ident[1] != 'E' || h.e_ident[2] != 'L' || h.e_ident[3] != 'F')
    return refuse(e, errc::elf_magic);
  if (h.e_type != et_rel)
    return refuse(e, errc::elf_type, h.e_type);
  if (!machine(h))
    return refuse(e, errc::elf_arch, h.e_machine);
  if (h.e_shentsize != sizeof(shdr))
    return refuse(e, errc::elf_shentsize);
  u32 count = h.e_shnum;
  u64 offset = h.e_shoff;
  if (offset >= bytes.size() || u64{count} * sizeof(shdr) > bytes.size() - offset)
    return refuse(e, errc::elf_shdr_overflow);
  out.sections_ = {reinterpret_cast<shdr const*>(bytes.data() + static_cast<std::size_t>(offset)),
                   count};
  prefetch(reinterpret_cast<std::byte const*>(out.sections_.data()), count * sizeof(shdr));
  u32 names = h.e_shstrndx;
  if (names == shn_undef || names >= count)
    return refuse(e, errc::elf_shstrndx, names, count);
  shdr const& n = out.section(names);
  if (!detail::in_range(n.sh_offset, n.sh_size, bytes.size()))
    return refuse(e, errc::elf_shstrtab_range, n.sh_type);
  if (n.sh_size == 0)
    return refuse(e, errc::elf_shstrtab_empty);
  out.names_ =
      bytes.subspan(static_cast<std::size_t>(n.sh_offset), static_cast<std::size_t>(n.sh_size));
  prefetch(out.names_.data(), out.names_.size());
  if (out.names_.back() != std::byte{0})
    return refuse(e, errc::elf_shstrtab_unterminated);
  return out.check_sections(e);
}

template <class Format>
errc image<Format>::check_sections(error& e) noexcept {
  using detail::refuse;
  u32 count = section_count();
  shdr const& zero = section(0);
  if (zero.sh_type != sht_null || zero.sh_size != 0 || zero.sh_addr != 0)
    return refuse(e, errc::elf_section_zero, zero.sh_type);
  for (u32 i = 1; i < count; ++i) {
    shdr const& s = section(i);
    u32 type = s.sh_type;
    if (type == sht_null || type == sht_nobits)
      continue;
    if (type == sht_symtab && (s.sh_link == shn_undef || s.sh_link >= count))
      return refuse(e, errc::elf_sh_link, s.sh_link, count);
    if (!detail::in_range(s.sh_offset, s.sh_size, bytes_.size()))
      return refuse(e, errc::elf_section_range, type, 0, i);
    if ((s.sh_flags & shf_alloc) != 0 && s.sh_name >= names_.size())
      return refuse(e, errc::elf_section_name, type, 0, i);
    prefetch(bytes_.data() + static_cast<std::size_t>(s.sh_offset),
             type == sht_symtab ? static_cast<std::size_t>(s.sh_size) : 1);
  }
  // Linux compares the names of sections without SHF_ALLOC too, and silently leaves a target
  // unrelocated when sh_info names no section; both read or run what was never checked.
  u64 relocation_bytes = 0;
  for (u32 i = 1; i < count; ++i) {
    shdr const& s = section(i);
    u32 type = s.sh_type;
    if (type != sht_null && s.sh_name >= names_.size())
      return refuse(e, errc::elf_section_name, type, 0, i);
    if ((type == sht_rel || type == sht_rela) && s.sh_info >= count)
      return refuse(e, errc::elf_reloc_target, s.sh_info, count, i);
    // Relocation sections that share their bytes would multiply the work of a load.
    if (type == sht_rel || type == sht_rela)
      relocation_bytes += s.sh_size;
    if (relocation_bytes > bytes_.size())
      return refuse(e, errc::elf_reloc_overlap, 0, 0, i);
  }
  return errc::ok;
}

} // namespace kmodld::elf
