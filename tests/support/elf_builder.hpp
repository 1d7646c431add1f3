// SPDX-License-Identifier: MIT
// Makes relocatable objects of any class, byte order and machine, section by section.
//
//   elf_builder<elf::elf64_le> b;
//   u32 text = b.section(".text", sht_progbits, shf_alloc | shf_execinstr, code, 16);
//   u32 f = b.symbol("f", text, 0);
//   b.rela(text, 1, 4, b.undefined("printk"), -4);
//   elf_file<elf::elf64_le> file = b.build();
//
// Indexes are final when they are returned: sections get the next one, `.symtab`, `.strtab` and
// `.shstrtab` come last. module_builder.hpp adds what makes an object a Linux module.
#pragma once

#include "support/elf_file.hpp"

#include <map>

namespace kmodld::test {

template <class Format>
class elf_builder {
public:
  using shdr = typename Format::shdr;
  using sym = typename Format::sym;
  using word_type = typename Format::word_type;

  explicit elf_builder(u32 machine = 62) : machine_{machine} {
    sections_.emplace_back();
    symbols_.emplace_back();
  }

  /// A section with these bytes; returns its index. A SHT_NOBITS one takes its size from nobits().
  u32 section(std::string_view name, u32 type, u64 flags, byte_vector data = {}, u64 align = 1,
              u32 link = 0, u32 info = 0, u64 entsize = 0) {
    section_record s;
    s.name = name;
    s.type = type;
    s.flags = flags;
    s.size = data.size();
    s.data = std::move(data);
    s.align = align;
    s.link = link;
    s.info = info;
    s.entsize = entsize;
    sections_.push_back(std::move(s));
    return static_cast<u32>(sections_.size() - 1);
  }

  u32 nobits(std::string_view name, u64 flags, u64 size, u64 align = 1) {
    u32 i = section(name, elf::sht_nobits, flags, {}, align);
    sections_[i].size = size;
    return i;
  }

  /// The section of this name, made with the given type and flags if there is none yet.
  u32 section_once(std::string_view name, u32 type, u64 flags, u64 align = 1) {
    for (u32 i = 1; i < sections_.size(); ++i)
      if (sections_[i].name == name)
        return i;
    return section(name, type, flags, {}, align);
  }

  /// Appends to a section; returns the offset of the first byte.
  u64 append(u32 i, byte_vector const& more) {
    section_record& s = sections_[i];
    u64 offset = s.data.size();
    s.data.insert(s.data.end(), more.begin(), more.end());
    s.size = s.data.size();
    return offset;
  }
  u64 append(u32 i, std::string_view text) { return append(i, bytes_of(text)); }
  /// The same with a terminating NUL.
  u64 append_string(u32 i, std::string_view text) { return append(i, std::string{text} + '\0'); }
  template <class T>
  u64 append_number(u32 i, T value) {
    byte_vector b(sizeof(T));
    elf::field<T, Format::order>::store(b.data(), value);
    return append(i, b);
  }
  u64 append_word(u32 i, u64 value) { return append_number(i, static_cast<word_type>(value)); }

  /// Writable bytes of a section, until the next call that adds one.
  byte_vector& data(u32 i) { return sections_[i].data; }
  void set_size(u32 i, u64 size) { sections_[i].size = size; }

  /// A symbol; returns its index. `info` is binding << 4 | type.
  u32 symbol(std::string_view name, u32 shndx, u64 value, u8 info = elf::stb_global << 4,
             u64 size = 0, u8 other = 0) {
    symbols_.push_back({std::string{name}, shndx, value, size, info, other});
    return static_cast<u32>(symbols_.size() - 1);
  }
  u32 undefined(std::string_view name, bool weak = false) {
    return symbol(name, elf::shn_undef, 0,
                  static_cast<u8>((weak ? elf::stb_weak : elf::stb_global) << 4));
  }
  u32 section_symbol(u32 shndx) {
    return symbol({}, shndx, 0, static_cast<u8>(elf::stb_local << 4 | elf::stt_section));
  }

  /// A relocation of section `target`; its relocation section is made with the first one.
  void rela(u32 target, u64 offset, u32 type, u32 symbol, i64 addend) {
    raw_relocation(target, true, offset, info(symbol, type), addend);
  }
  void rel(u32 target, u64 offset, u32 type, u32 symbol) {
    raw_relocation(target, false, offset, info(symbol, type), 0);
  }
  /// With r_info as it shall stand in the file.
  void raw_relocation(u32 target, bool with_addend, u64 offset, u64 r_info, i64 addend) {
    u32& i = relocations_[{target, with_addend}];
    if (i == 0) {
      std::string name = (with_addend ? ".rela" : ".rel") + sections_[target].name;
      u64 entry = with_addend ? sizeof(typename Format::rela) : sizeof(typename Format::rel);
      i = section(name, with_addend ? u32{elf::sht_rela} : u32{elf::sht_rel}, 0x40, {},
                  Format::bits / 8, link_to_symtab, target, entry);
    }
    append_word(i, offset);
    append_word(i, r_info);
    if (with_addend)
      append_word(i, static_cast<u64>(addend));
  }
  static u64 info(u32 symbol, u32 type) {
    return Format::bits == 64 ? u64{symbol} << 32 | type : u64{symbol} << 8 | (type & 0xff);
  }

  /// Lays everything out: header, sections in order, section headers at the end.
  elf_file<Format> build() const;

  static constexpr u32 link_to_symtab = ~u32{0};

private:
  struct section_record {
    std::string name;
    u32 type = 0;
    u64 flags = 0;
    byte_vector data;
    u64 size = 0;
    u64 align = 0;
    u32 link = 0, info = 0;
    u64 entsize = 0;
  };
  struct symbol_record {
    std::string name;
    u32 shndx = 0;
    u64 value = 0, size = 0;
    u8 info = 0, other = 0;
  };

  u32 machine_;
  std::vector<section_record> sections_;
  std::vector<symbol_record> symbols_;
  std::map<std::pair<u32, bool>, u32> relocations_;
};

template <class Format>
elf_file<Format> elf_builder<Format>::build() const {
  using namespace elf;
  elf_builder b = *this;
  u32 symtab = b.section(".symtab", sht_symtab, 0, {}, Format::bits / 8, 0, 0, sizeof(sym));
  u32 strtab = b.section(".strtab", sht_strtab, 0, bytes_of({0}));
  u32 shstrtab = b.section(".shstrtab", sht_strtab, 0);
  b.sections_[symtab].link = strtab;
  for (symbol_record const& s : symbols_) {
    sym out{};
    out.st_name = s.name.empty() ? 0 : static_cast<u32>(b.append_string(strtab, s.name));
    out.st_info = s.info;
    out.st_other = s.other;
    out.st_shndx = static_cast<u16>(s.shndx);
    out.st_value = static_cast<word_type>(s.value);
    out.st_size = static_cast<word_type>(s.size);
    auto const* p = reinterpret_cast<std::byte const*>(&out);
    b.append(symtab, byte_vector(p, p + sizeof out));
  }

  std::vector<shdr> headers;
  for (section_record& s : b.sections_)
    if (s.link == link_to_symtab)
      s.link = symtab;
  for (u32 i = 0; i < b.sections_.size(); ++i) {
    section_record const& s = b.sections_[i];
    shdr h{};
    h.sh_name = static_cast<u32>(b.append_string(shstrtab, s.name));
    h.sh_type = s.type;
    h.sh_flags = static_cast<word_type>(s.flags);
    h.sh_link = s.link;
    h.sh_info = s.info;
    h.sh_addralign = static_cast<word_type>(s.align);
    h.sh_entsize = static_cast<word_type>(s.entsize);
    headers.push_back(h);
  }

  elf_file<Format> out;
  auto put = [&out](void const* p, std::size_t n) {
    auto const* bytes = static_cast<std::byte const*>(p);
    out.bytes.insert(out.bytes.end(), bytes, bytes + n);
  };
  out.bytes.resize(sizeof(typename Format::ehdr));
  for (u32 i = 1; i < headers.size(); ++i) {
    section_record const& s = b.sections_[i];
    // An alignment that is no power of two, or huge, is for the loader to meet, not for the file.
    u64 align = is_power_of_two(s.align) && s.align <= 64 ? s.align : 1;
    out.bytes.resize(round_up<std::size_t>(out.bytes.size(), static_cast<std::size_t>(align)));
    headers[i].sh_offset = static_cast<word_type>(out.bytes.size());
    headers[i].sh_size = static_cast<word_type>(s.size);
    put(s.data.data(), s.data.size());
  }
  out.bytes.resize(round_up<std::size_t>(out.bytes.size(), 8));
  std::size_t shoff = out.bytes.size();
  put(headers.data(), headers.size() * sizeof(shdr));
  out.bytes.shrink_to_fit();

  typename Format::ehdr& h = out.header();
  unsigned char const ident[] = {0x7f, 'E', 'L', 'F', Format::elf_class, Format::elf_data, 1};
  for (std::size_t i = 0; i < sizeof ident; ++i)
    h.e_ident[i] = ident[i];
  h.e_type = et_rel;
  h.e_machine = static_cast<u16>(machine_);
  h.e_version = 1;
  h.e_shoff = static_cast<word_type>(shoff);
  h.e_ehsize = sizeof h;
  h.e_shentsize = sizeof(shdr);
  h.e_shnum = static_cast<u16>(headers.size());
  h.e_shstrndx = static_cast<u16>(shstrtab);
  return out;
}

} // namespace kmodld::test
