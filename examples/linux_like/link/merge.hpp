// SPDX-License-Identifier: MIT
// Several relocatable objects become one, as `ld -r` does it but without joining sections: kmodld
// then links that one. Symbols of one file serve the others, common symbols get a section, of
// COMDAT groups with one signature the first stays.
//
// Objects are checked as hostile files are: indices, names and alignments before they are used; the
// work and the memory are bounded by the size of the files.
#pragma once

#include "../refusal.hpp"
#include "merge_result.hpp"
#include "object_writer.hpp"

#include <kmodld/layout/layout.hpp>
#include <kmodld/reloc/section.hpp>

#include <fmt/format.h>
#include <map>
#include <set>

namespace linux_like {

template <class Arch>
class object_merger {
  using format = typename Arch::format;
  using image_type = kmodld::elf::image<format>;
  using sym = typename format::sym;
  using relocation = typename Arch::relocation;
  using u32 = kmodld::u32;
  using u64 = kmodld::u64;

  static constexpr u32 sht_group = 17, grp_comdat = 1, shf_exclude = 0x80000000;
  static constexpr u64 shf_alloc = kmodld::elf::shf_alloc;
  static constexpr u32 own_kind =
      kmodld::reloc::addend_in_place<relocation> ? kmodld::elf::sht_rel : kmodld::elf::sht_rela;

  /// How strongly a file defines a global symbol; the strongest definition counts.
  enum class strength : int { wanted_weakly, wanted, weak, common, strong };

  struct global {
    strength how = strength::wanted_weakly;
    std::size_t input = 0;
    u32 symbol = 0;      ///< in that input
    u32 number = 0;      ///< in the merged object
    u64 common_size = 0; ///< and `align` are the largest that any file asks for
    u64 common_align = 1;
    u64 common_offset = 0; ///< in the section of common symbols
  };

  struct object {
    image_type image;
    u32 symtab = 0;
    kmodld::byte_view names;
    std::vector<u32> section; ///< number in the merged object; 0: left out
    std::vector<bool> discarded;
    std::vector<u32> symbol; ///< number in the merged object
    kmodld::elf::table<sym> symbols() const {
      return symtab == 0 ? kmodld::elf::table<sym>{} : image.template entries<sym>(symtab);
    }
    std::string_view name_of(const sym& s) const { return kmodld::string_at(names, s.st_name); }
  };

public:
  explicit object_merger(const std::vector<link_input>& inputs) : inputs_(inputs) {}

  merged_object operator()() {
    for (std::size_t i = 0; i < inputs_.size(); ++i)
      read(i);
    for (std::size_t i = 0; i < inputs_.size(); ++i)
      add_sections(i);
    for (std::size_t i = 0; i < inputs_.size(); ++i)
      gather_globals(i);
    add_common();
    out_.symbols.push_back({});
    result_.symbol_input.push_back(section_origin::none);
    for (std::size_t i = 0; i < inputs_.size(); ++i)
      add_locals(i);
    out_.local_symbols = static_cast<u32>(out_.symbols.size());
    for (std::size_t i = 0; i < inputs_.size(); ++i)
      add_globals(i);
    if (format::bits == 32 && out_.symbols.size() >= 1u << 24)
      throw refusal(ENOEXEC, "the objects have more symbols than relocations can number");
    for (std::size_t i = 0; i < inputs_.size(); ++i)
      add_relocations(i);
    result_.sections.resize(out_.sections.size() + 1);
    result_.bytes = out_.bytes(objects_[0].image.header());
    return std::move(result_);
  }

private:
  [[noreturn]] void refuse(std::size_t input, kmodld::error e) const {
    e.set_names(inputs_[input].name, e.name(kmodld::error::subject));
    refusal no = refused(e);
    const std::string text = no.what(); // some name the file themselves
    if (text.find(inputs_[input].name) != std::string::npos)
      throw no;
    throw refusal(no.number, inputs_[input].name + ": " + text);
  }
  [[noreturn]] void refuse(std::size_t input, const std::string& text) const {
    throw refusal(ENOEXEC, inputs_[input].name + ": " + text);
  }

  void read(std::size_t i) {
    object& o = objects_.emplace_back();
    kmodld::error e;
    const auto accepts = [](const typename format::ehdr& h) { return Arch::accepts(h); };
    if (image_type::check(inputs_[i].bytes, accepts, o.image, e) != kmodld::errc::ok)
      refuse(i, e);
    const u32 count = o.image.section_count();
    o.section.resize(count);
    o.discarded.resize(count);
    check_sharing(i);
    for (u32 k = 1; k < count; ++k)
      if (o.image.section(k).sh_type == kmodld::elf::sht_symtab && o.symtab == 0)
        o.symtab = k;
    if (o.symtab == 0)
      return;
    o.names = o.image.data(o.image.section(o.symtab).sh_link);
    const u64 limit = kmodld::symbol_name_limit(o.names.size());
    u64 total = 0;
    for (u32 k = 1; const sym& s : o.symbols().subspan(o.symbols().empty() ? 0 : 1)) {
      if (s.st_name >= o.names.size() && s.st_name != 0)
        refuse(i, {.code = kmodld::errc::symbol_name_range, .index = k});
      // Names may share their bytes: their sum is what costs time.
      total += o.name_of(s).size() + 1;
      if (total > limit)
        refuse(i, {.code = kmodld::errc::symbol_names_overlap, .index = k, .number = {limit, 0}});
      const u32 shndx = s.st_shndx;
      if (shndx >= count && shndx != kmodld::elf::shn_abs && !is_common(shndx))
        refuse(i, fmt::format("symbol {} '{}' is in section {} of {}", k, shown(o.name_of(s)),
                              shndx, count));
      ++k;
    }
  }

  /// Sections may share their names and groups their members: what they take together is what costs
  /// time and memory.
  void check_sharing(std::size_t i) const {
    const image_type& image = objects_[i].image;
    const u64 size = inputs_[i].bytes.size();
    if (shares_section_names(image, size))
      refuse(i, "section names share their bytes");
    u64 members = 0;
    for (u32 k = 1; k < image.section_count(); ++k) {
      members += image.section(k).sh_type == sht_group ? u64{image.section(k).sh_size} : 0;
      if (members > size)
        refuse(i, "groups share their bytes");
    }
  }

  static std::string shown(std::string_view name) { return printable(name.substr(0, 200)); }

  /// SHN_COMMON, and the processors' own for small (MIPS) and large (x86-64) ones.
  static bool is_common(u32 shndx) {
    constexpr u32 shn_mips_scommon = 0xff03, shn_x86_64_lcommon = 0xff02;
    return shndx == kmodld::elf::shn_common || (shndx == shn_mips_scommon && Arch::machine == 8) ||
           (shndx == shn_x86_64_lcommon && Arch::machine == 62);
  }

  /// Of groups of one signature those after the first are left out, with all their members.
  void discard_groups(std::size_t i) {
    object& o = objects_[i];
    // A signature's name is read once, however many groups of the file have it.
    std::vector<bool> seen_symbol(o.symbols().size()), seen_section(o.image.section_count());
    for (u32 k = 1; k < o.image.section_count(); ++k) {
      const auto& s = o.image.section(k);
      if (s.sh_type != sht_group)
        continue;
      const auto words = o.image.template entries<typename format::word32>(k);
      const u32 signature = s.sh_info;
      if (words.empty() || (words[0] & grp_comdat) == 0)
        continue;
      if (signature >= o.symbols().size())
        refuse(i, fmt::format("group {} has no signature", k));
      if (is_first_group(i, signature, seen_symbol, seen_section))
        continue;
      for (const u32 member : words.subspan(1)) {
        if (member == 0 || member >= o.image.section_count())
          refuse(i,
                 fmt::format("group {} has section {} of {}", k, member, o.image.section_count()));
        o.discarded[member] = true;
      }
    }
  }

  bool is_first_group(std::size_t i, u32 signature, std::vector<bool>& seen_symbol,
                      std::vector<bool>& seen_section) {
    const object& o = objects_[i];
    if (seen_symbol[signature])
      return false;
    seen_symbol[signature] = true;
    const sym& s = o.symbols()[signature];
    if (const std::string_view name = o.name_of(s); !name.empty())
      return groups_.emplace(false, name).second;
    // Older assemblers name a section.
    const u32 section = std::min<u32>(s.st_shndx, o.image.section_count() - 1);
    if (seen_section[section])
      return false;
    seen_section[section] = true;
    return groups_.emplace(true, o.image.name(section)).second;
  }

  void add_sections(std::size_t i) {
    object& o = objects_[i];
    discard_groups(i);
    u64 total = 0;
    for (u32 k = 1; k < o.image.section_count(); ++k) {
      const auto& s = o.image.section(k);
      if ((s.sh_flags & shf_alloc) == 0 || (s.sh_flags & shf_exclude) != 0 || o.discarded[k] ||
          s.sh_type == kmodld::elf::sht_null)
        continue;
      const u64 align = s.sh_addralign;
      if (align > 1 && !kmodld::is_power_of_two(align))
        refuse(i, fmt::format("section {} has the alignment {}", k, align));
      const kmodld::byte_view data = o.image.data(k);
      total += data.size();
      if (total > inputs_[i].bytes.size())
        refuse(i, "sections share their bytes");
      o.section[k] = add_section({.name = std::string(o.image.name(k)),
                                  .type = s.sh_type,
                                  .flags = s.sh_flags & ~u64{0x400 | 0x200}, // neither group nor
                                  .align = align,
                                  .size = s.sh_size,
                                  .data = data},
                                 {i, k});
    }
  }

  u32 add_section(typename object_writer<format>::section s, section_origin origin) {
    result_.sections.resize(out_.sections.size() + 1);
    out_.sections.push_back(std::move(s));
    result_.sections.push_back(origin);
    if (out_.sections.size() + 4 >= kmodld::elf::shn_loreserve)
      throw refusal(ENOEXEC, "the objects have more sections than an object can number");
    return static_cast<u32>(out_.sections.size());
  }

  bool is_global(const sym& s) const {
    return kmodld::elf::st_bind(s.st_info) != kmodld::elf::stb_local && s.st_name != 0;
  }

  strength strength_of(const object& o, const sym& s) const {
    const bool weak = kmodld::elf::st_bind(s.st_info) == kmodld::elf::stb_weak;
    const u32 shndx = s.st_shndx;
    if (shndx == kmodld::elf::shn_undef || (shndx < o.discarded.size() && o.discarded[shndx]))
      return weak ? strength::wanted_weakly : strength::wanted;
    if (is_common(shndx))
      return strength::common;
    return weak ? strength::weak : strength::strong;
  }

  void gather_globals(std::size_t i) {
    object& o = objects_[i];
    o.symbol.resize(o.symbols().size());
    for (u32 k = 1; k < o.symbols().size(); ++k) {
      const sym& s = o.symbols()[k];
      if (!is_global(s))
        continue;
      const auto [at, fresh] = globals_.try_emplace(o.name_of(s));
      global& g = at->second;
      const strength how = strength_of(o, s);
      if (how == strength::strong && g.how == strength::strong && !fresh && !is_unique(s))
        throw refusal(EEXIST, fmt::format("{}: {} is defined by {} already", inputs_[i].name,
                                          shown(o.name_of(s)), inputs_[g.input].name));
      if (how == strength::common) {
        const u64 align = s.st_value;
        if (align > 1 && !kmodld::is_power_of_two(align))
          refuse(i,
                 fmt::format("common symbol {} has the alignment {}", shown(o.name_of(s)), align));
        g.common_size = std::max<u64>(g.common_size, s.st_size);
        g.common_align = std::max<u64>(g.common_align, align);
      }
      if (fresh || how > g.how) {
        g.how = how;
        g.input = i;
        g.symbol = k;
      }
    }
  }

  /// STB_GNU_UNIQUE: one of several.
  static bool is_unique(const sym& s) { return kmodld::elf::st_bind(s.st_info) == 10; }

  /// Common symbols get a section behind all others, in the order of files and symbols.
  void add_common() {
    u64 size = 0, most = 1;
    bool any = false;
    for (std::size_t i = 0; i < objects_.size(); ++i)
      for (u32 k = 1; k < objects_[i].symbols().size(); ++k) {
        const sym& s = objects_[i].symbols()[k];
        if (!is_global(s))
          continue;
        global& g = globals_.find(objects_[i].name_of(s))->second;
        if (g.how != strength::common || g.input != i || g.symbol != k)
          continue;
        if (g.common_align > 1u << 31 || g.common_size > 1u << 31)
          refuse(i, {.code = kmodld::errc::layout_overflow,
                     .number = {g.common_size, g.common_align}});
        size = kmodld::round_up(size, g.common_align);
        g.common_offset = size;
        any = true;
        size += g.common_size;
        most = std::max(most, g.common_align);
      }
    if (any)
      common_ = add_section({.name = "COMMON",
                             .type = kmodld::elf::sht_nobits,
                             .flags = shf_alloc | kmodld::elf::shf_write,
                             .align = most,
                             .size = size,
                             .data = {}},
                            {});
  }

  u32 add_symbol(std::size_t i, const sym& s, std::string_view name, u32 shndx) {
    sym out = s;
    out.st_name = out_.add_name(name);
    out.st_shndx = static_cast<kmodld::u16>(shndx);
    out_.symbols.push_back(out);
    result_.symbol_input.push_back(i);
    return static_cast<u32>(out_.symbols.size() - 1);
  }

  /// Where a symbol's section has gone; what was left out is absolute.
  u32 new_section(const object& o, u32 shndx) const {
    if (shndx == kmodld::elf::shn_undef || shndx >= o.section.size())
      return shndx;
    return o.section[shndx] != 0 ? o.section[shndx] : u32{kmodld::elf::shn_abs};
  }

  void add_locals(std::size_t i) {
    object& o = objects_[i];
    for (u32 k = 1; k < o.symbols().size(); ++k)
      if (const sym& s = o.symbols()[k]; !is_global(s)) {
        if (is_common(s.st_shndx))
          refuse(i, {.code = kmodld::errc::symbol_common, .index = k});
        o.symbol[k] = add_symbol(i, s, o.name_of(s), new_section(o, s.st_shndx));
      }
  }

  void add_globals(std::size_t i) {
    object& o = objects_[i];
    for (u32 k = 1; k < o.symbols().size(); ++k) {
      if (!is_global(o.symbols()[k]))
        continue;
      const std::string_view name = o.name_of(o.symbols()[k]);
      global& g = globals_.find(name)->second;
      if (g.number == 0) {
        const object& from = objects_[g.input];
        sym s = from.symbols()[g.symbol];
        u32 shndx = new_section(from, s.st_shndx);
        if (g.how <= strength::wanted) {
          shndx = kmodld::elf::shn_undef;
          s.st_value = 0;
        }
        if (g.how == strength::common) {
          shndx = common_;
          s.st_value = static_cast<typename format::word_type>(g.common_offset);
        }
        g.number = add_symbol(g.input, s, name, shndx);
      }
      o.symbol[k] = g.number;
    }
  }

  void add_relocations(std::size_t i) {
    object& o = objects_[i];
    for (u32 k = 1; k < o.image.section_count(); ++k) {
      const auto& s = o.image.section(k);
      const u32 type = s.sh_type, target = o.section[s.sh_info < o.section.size() ? s.sh_info : 0];
      if ((type != kmodld::elf::sht_rel && type != kmodld::elf::sht_rela) || target == 0)
        continue;
      // All of such a section would have to be written, and its size costs a file nothing.
      if (out_.sections[target - 1].type == kmodld::elf::sht_nobits && s.sh_size != 0)
        refuse(i, fmt::format("section {} relocates section {}, which has no bytes in the file", k,
                              u32{s.sh_info}));
      byte_vector entries;
      if (type == own_kind)
        entries = renumbered(i, k);
      const kmodld::byte_view data = out_.keep(std::move(entries));
      add_section({.name = std::string(o.image.name(k)),
                   .type = type,
                   .flags = 0,
                   .align = 1,
                   .size = data.size(),
                   .data = data,
                   .info = target},
                  {i, k});
    }
  }

  byte_vector renumbered(std::size_t i, u32 k) const {
    const object& o = objects_[i];
    const auto entries = o.image.template entries<relocation>(k);
    byte_vector out(entries.size_bytes());
    auto* at = reinterpret_cast<relocation*>(out.data());
    for (u32 n = 0; n < entries.size(); ++n) {
      relocation& r = at[n] = entries[n];
      const u32 symbol = Arch::symbol_of(r);
      if (symbol == 0)
        continue;
      if (symbol >= o.symbol.size())
        refuse(i, {.code = kmodld::errc::reloc_symbol,
                   .section = k,
                   .index = n,
                   .number = {symbol, o.symbol.size()}});
      const u32 shndx = o.symbols()[symbol].st_shndx;
      const bool gone =
          !is_global(o.symbols()[symbol]) && shndx < o.discarded.size() && o.discarded[shndx];
      renumber(r, gone ? 0 : o.symbol[symbol], gone);
    }
    return out;
  }

  /// With `nothing` it becomes type 0, which does nothing: tables of what was left out.
  static void renumber(relocation& r, u32 symbol, bool nothing) {
    if constexpr (requires { r.r_info; }) {
      using word = typename format::word_type;
      const word type = nothing ? word{0} : static_cast<word>(format::r_type(r.r_info));
      r.r_info = static_cast<word>(u64{symbol} << (format::bits == 64 ? 32 : 8) | type);
    } else {
      r.r_sym = symbol;
      if (nothing)
        r.r_type = r.r_type2 = r.r_type3 = 0;
    }
  }

  const std::vector<link_input>& inputs_;
  std::vector<object> objects_;
  // Ordered: files choose the names, and could choose those that a hash takes for one.
  std::map<std::string_view, global> globals_;
  std::set<std::pair<bool, std::string_view>> groups_; ///< signatures; true: names of sections
  u32 common_ = 0;
  object_writer<format> out_;
  merged_object result_;
};

} // namespace linux_like
