// SPDX-License-Identifier: MIT
// Which section goes where: layout_sections and layout_symtab, for both schemes. Usable without a
// loader and for any architecture: it only reads sizes, flags and names.
#pragma once

#include <kmodld/abi.hpp>
#include <kmodld/layout/section_table.hpp>

namespace kmodld {

/// Sizes and cumulative ends of the regions; indices as in memory_order.
struct module_layout {
  struct part {
    memory_kind kind = memory_kind::core;
    u64 size = 0;
    u64 text_size = 0, ro_size = 0, ro_after_init_size = 0;
    u64 sections_end = 0; ///< offset behind the last section
  };
  part parts[module::max_memories];
  u8 count = 0;

  /// Where layout_symtab put the copy of the kept symbols and the transient tables.
  struct symtab_places {
    u8 core = 0, init = 0;                                  ///< the regions
    u32 kept = 0, all = 0;                                  ///< numbers of symbols
    u64 core_symbols = 0, core_strings = 0, core_types = 0; ///< offsets in core
    u64 core_strings_size = 0;
    u64 init_types = 0; ///< offset in init of one byte a symbol
  } symtab;
};

/// How many bytes the names of symbols may have together. They may share their bytes in the string
/// table, so nothing in the file bounds their sum, and Linux reads each to its end.
constexpr u64 symbol_name_limit(u64 string_table_size) noexcept {
  return string_table_size * 16 + 65536;
}

/// A kind of section: all `must` bits set, no `must_not` bit, and where the class goes.
struct layout_mask {
  u64 must, must_not;
};

inline constexpr layout_mask layout_masks[] = {
    {elf::shf_execinstr | elf::shf_alloc, 0},
    {elf::shf_alloc, elf::shf_write},
    {elf::shf_ro_after_init | elf::shf_alloc, 0},
    {elf::shf_write | elf::shf_alloc, 0},
    {elf::shf_alloc, 0},
};

/// module_init_layout_section: whether a section is given back after init.
template <class Arch, class Abi>
constexpr bool is_init_section(std::string_view name) noexcept {
  if constexpr (requires { Arch::is_init_section(name, Abi::module_unload); })
    return Arch::is_init_section(name, Abi::module_unload);
  else if constexpr (requires { Arch::is_init_section(name); })
    return Arch::is_init_section(name);
  else
    return starts_with(name, ".init"sv) || (!Abi::module_unload && starts_with(name, ".exit"sv));
}

/// Places all SHF_ALLOC sections of a module. One object a layout, on the stack.
template <class Arch, class Abi>
class layout_builder {
  static constexpr bool seven = Abi::scheme == layout_scheme::seven_kinds;
  // Linux computes in 32 bits and wraps without a word; here a region this large is refused.
  static constexpr u64 max_region = u64{1} << 31;

  section_table& table_;
  module_layout& out_;

public:
  layout_builder(section_table& table, module_layout& out) noexcept : table_{table}, out_{out} {
    if constexpr (seven) {
      out_.count = 7;
      for (u8 k = 0; k < 7; ++k)
        out_.parts[k].kind = static_cast<memory_kind>(static_cast<u8>(memory_kind::text) + k);
    } else {
      out_.count = 2;
      out_.parts[1].kind = memory_kind::init;
    }
  }

  /// layout_sections. False if a region would grow beyond max_region; `culprit` is the section.
  bool place_sections(u32& culprit) noexcept {
    u32 first[2 * mask_count] = {};
    for (u32 i = table_.used; i-- > 1;)
      if (u8 const pass = pass_of(table_[i]); pass != no_pass) {
        table_[i].next = first[pass];
        first[pass] = i;
      }
    for (u8 pass = 0; pass < 2 * mask_count; ++pass) {
      bool const init = pass >= mask_count;
      u8 const m = init ? static_cast<u8>(pass - mask_count) : pass;
      u8 const region = region_of(m, init);
      if (region == section_entry::nowhere)
        continue;
      for (u32 i = first[pass]; i != 0; i = table_[i].next)
        if (!append(table_[i], region)) {
          culprit = i;
          return false;
        }
      note_end(m, region, init);
    }
    return true;
  }

  /// layout_symtab: the image's symbol and string table at the end of init, the kept symbols at the
  /// end of core. `kept(i)` says whether symbol i stays, `name_size(i)` its name's length with NUL.
  /// False if a region would become too large or names are absurdly shared.
  template <class Kept, class NameSize>
  bool place_symtab(u32 sym, u32 str, u32 symbol_count, u32 symbol_size, u32 pointer_size,
                    Kept const& kept, NameSize const& name_size) noexcept {
    auto& places = out_.symtab;
    places.core = seven ? 1 : 0;
    places.init = seven ? 5 : 1;
    section_entry& symtab = table_[sym];
    symtab.flags |= elf::shf_alloc;
    places.all = symbol_count;
    if (!append(symtab, places.init))
      return false;
    u64 const name_limit = symbol_name_limit(table_[str].size);
    u64 names = 0; // also of those that only live until init is over
    for (u32 i = 0; i < symbol_count; ++i) {
      u64 const size = name_size(i);
      if (names += size; names > name_limit)
        return false;
      if (i == 0 || kept(i)) {
        ++places.kept;
        places.core_strings_size += size;
      }
    }
    auto& core = out_.parts[places.core];
    places.core_symbols = round_up(core.size, align_of(symtab));
    places.core_strings = places.core_symbols + u64{places.kept} * symbol_size;
    places.core_types = places.core_strings + places.core_strings_size;
    if (!grow(core, places.core_types + places.kept, true))
      return false;
    section_entry& strtab = table_[str];
    strtab.flags |= elf::shf_alloc;
    if (!append(strtab, places.init))
      return false;
    auto& init = out_.parts[places.init];
    // Linux keeps a struct mod_kallsyms of four words here; the room counts for the size.
    places.init_types = round_up(init.size, u64{pointer_size}) + 4 * u64{pointer_size};
    return grow(init, places.init_types + symbol_count, true);
  }

private:
  static constexpr u8 mask_count = sizeof layout_masks / sizeof layout_masks[0];

  static constexpr u8 no_pass = 0xff;

  /// The first mask that takes the section, those of init behind those of core.
  static u8 pass_of(section_entry const& s) noexcept {
    if (!s.allocated() || s.placed())
      return no_pass;
    bool const init = is_init_section<Arch, Abi>(s.name);
    for (u8 m = 0; m < mask_count; ++m)
      if ((s.flags & layout_masks[m].must) == layout_masks[m].must &&
          (s.flags & layout_masks[m].must_not) == 0 && region_of(m, init) != section_entry::nowhere)
        return init ? static_cast<u8>(m + mask_count) : m;
    return no_pass;
  }

  static constexpr u64 align_of(section_entry const& s) noexcept {
    return s.align == 0 ? 1 : s.align;
  }

  static constexpr u8 region_of(u8 mask, bool init) noexcept {
    if constexpr (seven) {
      constexpr u8 core_kinds[] = {0, 2, 3, 1, 1};
      constexpr u8 init_kinds[] = {4, 6, section_entry::nowhere, 5, 5};
      return init ? init_kinds[mask] : core_kinds[mask];
    } else {
      return init ? 1 : 0;
    }
  }

  bool append(section_entry& s, u8 region) noexcept {
    auto& part = out_.parts[region];
    u64 const align = align_of(s);
    if (align > max_region || s.size > max_region)
      return false;
    s.offset = round_up(part.size, align);
    s.memory = region;
    if (!grow(part, s.offset + s.size, false))
      return false;
    s.gap = static_cast<u32>(s.offset - part.sections_end);
    part.sections_end = part.size;
    return true;
  }

  static bool grow(module_layout::part& part, u64 size, bool symtab_end) noexcept {
    if (size > max_region)
      return false;
    part.size = size;
    if (symtab_end && !seven && Abi::strict_rwx)
      part.size = round_up(size, Abi::page_size);
    return true;
  }

  void note_end(u8 mask, u8 region, bool init) noexcept {
    if constexpr (!seven) {
      auto& part = out_.parts[region];
      // Masks 0-2 and 4 end on a page; init has no own end for what is read-only after init.
      bool const rounded = mask != 3 && !(init && mask == 2);
      if (rounded && Abi::strict_rwx)
        part.size = round_up(part.size, Abi::page_size);
      switch (mask) {
      case 0: part.text_size = part.ro_size = part.ro_after_init_size = part.size; break;
      case 1: part.ro_size = part.ro_after_init_size = part.size; break;
      case 2: part.ro_after_init_size = init ? part.ro_size : part.size; break;
      default: break;
      }
    }
  }
};

/// Whether symbol i stays after init: symbol 0 always, all of a live patch, else those with a name
/// in a kept section that is not init.
template <class Arch, class Abi, class Symbol>
bool is_core_symbol(Symbol const& s, section_table const& table, u32 pcpu) noexcept {
  u32 const shndx = s.st_shndx;
  if (shndx == elf::shn_undef || shndx >= table.file_count || s.st_name == 0)
    return false;
  if (Abi::kallsyms_all && pcpu != 0 && shndx == pcpu)
    return true;
  section_entry const& section = table[shndx];
  if (!section.allocated() || (!Abi::kallsyms_all && (section.flags & elf::shf_execinstr) == 0))
    return false;
  if (!section.placed())
    return false;
  return Abi::scheme == layout_scheme::seven_kinds ? section.memory < 4 : section.memory == 0;
}

} // namespace kmodld
