// SPDX-License-Identifier: MIT
// The loader's own copy of what it changes in section headers. Linux writes into its copy of the
// file; here the image is const and this table takes the changes.
#pragma once

#include <kmodld/elf/image.hpp>

namespace kmodld {

/// A few letters of a name: names with another key are other names.
constexpr u32 name_key(std::string_view name) noexcept {
  if (name.empty())
    return 0;
  auto const letter = [name](std::size_t i) { return u32{static_cast<unsigned char>(name[i])}; };
  return static_cast<u32>(name.size() & 0xff) | letter(name.size() - 1) << 8 |
         letter(name.size() / 2) << 16 | letter(name.size() / 4) << 24;
}

/// One section. `memory` and `offset` are set by the layout, `target` by move_module.
struct section_entry {
  static constexpr u8 nowhere = 0xff;

  u64 flags = 0;
  u64 size = 0;
  u64 align = 0;
  u32 type = 0;
  u8 memory = nowhere;    ///< index of the region that it was placed in
  bool relocated = false; ///< a relocation section has been applied to it
  u32 key = 0;            ///< name_key of the name
  u32 next = 0;           ///< of those that the layout places together
  u32 gap = 0;            ///< bytes between it and what stands before it
  u64 offset = 0;         ///< within that region
  address target{};       ///< 0 for sections that are not kept
  std::byte* host = nullptr;
  std::string_view name{};
  std::byte const* file = nullptr; ///< its bytes in the image; null if it has none
  /// Of a relocation section: its entries in the order in which they shall be applied, where the
  /// architecture sorts them; else null.
  std::byte const* reordered = nullptr;

  bool allocated() const noexcept { return (flags & elf::shf_alloc) != 0; }
  bool placed() const noexcept { return memory != nowhere; }
  std::span<std::byte> bytes() const noexcept { return {host, static_cast<std::size_t>(size)}; }
};

/// All sections of the image, then those that the loader makes itself (GOT, PLT).
struct section_table {
  std::span<section_entry> all;
  u32 file_count = 0; ///< those of the image

  std::span<section_entry> sections() const noexcept { return all.first(used); }
  section_entry& operator[](u32 i) const noexcept { return all[i]; }
  u32 used = 0;

  /// Adds a section of the loader's own, without bytes in the file; its index. There is room for
  /// rewrite_section_headers' own_sections of them.
  u32 add(std::string_view name, u64 size, u64 align, u64 flags) noexcept {
    all[used] = {.flags = elf::shf_alloc | flags,
                 .size = size,
                 .align = align,
                 .type = elf::sht_nobits,
                 .key = name_key(name),
                 .name = name};
    return used++;
  }

  /// find_sec: the first section with SHF_ALLOC and this name; 0 if there is none.
  u32 find(std::string_view name) const noexcept {
    u32 const key = name_key(name);
    for (u32 i = 1; i < used; ++i)
      if (all[i].key == key && all[i].allocated() && equal(all[i].name, name))
        return i;
    return 0;
  }
  /// find_any_sec: the same without looking at SHF_ALLOC.
  u32 find_any(std::string_view name) const noexcept {
    u32 const key = name_key(name);
    for (u32 i = 1; i < used; ++i)
      if (all[i].key == key && equal(all[i].name, name))
        return i;
    return 0;
  }
};

/// Fills `table`, which has room for them, from the headers of `image`.
template <class Format>
void read_sections(elf::image<Format> const& image, section_table& table) noexcept {
  table.file_count = image.section_count();
  table.used = table.file_count;
  for (u32 i = 0; i < table.file_count; ++i) {
    auto const& s = image.section(i);
    std::string_view const name = image.name(i);
    table.all[i] = {.flags = s.sh_flags,
                    .size = s.sh_size,
                    .align = s.sh_addralign,
                    .type = s.sh_type,
                    .key = name_key(name),
                    .name = name,
                    .file = image.data(i).data()};
  }
}

} // namespace kmodld
