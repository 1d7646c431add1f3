// SPDX-License-Identifier: MIT
// A relocatable object of any class and byte order, in memory.
#pragma once

#include "../module_file.hpp"
#include "../refusal.hpp"

#include <deque>

namespace linux_like {

template <class Format>
class object_writer {
  using u32 = kmodld::u32;
  using u64 = kmodld::u64;
  using word = typename Format::word_type;
  using ehdr = typename Format::ehdr;
  using shdr = typename Format::shdr;

public:
  struct section {
    std::string name;
    u32 type;
    u64 flags, align, size;
    kmodld::byte_view data; ///< must live until bytes()
    u32 info = 0;
  };

  std::vector<section> sections; ///< from number 1 on
  std::vector<typename Format::sym> symbols;
  u32 local_symbols = 0;

  u32 add_name(std::string_view name) {
    if (name.empty())
      return 0;
    return append(names_, name);
  }

  /// Keeps bytes that a section shows.
  kmodld::byte_view keep(byte_vector bytes) { return kept_.emplace_back(std::move(bytes)); }

  /// The object: the header is that of `like` with what differs, then the data, the headers last.
  byte_vector bytes(const ehdr& like) {
    std::vector<section> all = sections;
    const auto count = static_cast<u32>(all.size());
    const kmodld::byte_view table{reinterpret_cast<const std::byte*>(symbols.data()),
                                  symbols.size() * sizeof(typename Format::sym)};
    std::string headings(1, '\0');
    all.push_back({".symtab", kmodld::elf::sht_symtab, 0, 8, table.size(), table, local_symbols});
    all.push_back({".strtab", kmodld::elf::sht_strtab, 0, 1, names_.size(), view(names_)});
    all.push_back({".shstrtab", kmodld::elf::sht_strtab, 0, 1, 0, {}});
    std::vector<shdr> headers(1);
    for (section& s : all) {
      shdr& h = headers.emplace_back();
      h.sh_name = append(headings, s.name);
    }
    all.back().data = view(headings);
    all.back().size = headings.size();

    byte_vector out(sizeof(ehdr));
    for (std::size_t i = 0; i < all.size(); ++i) {
      const section& s = all[i];
      shdr& h = headers[i + 1];
      h.sh_type = s.type;
      h.sh_flags = static_cast<word>(s.flags);
      h.sh_offset = static_cast<word>(out.size());
      h.sh_size = static_cast<word>(s.size);
      h.sh_addralign = static_cast<word>(s.align);
      h.sh_info = s.info;
      if (s.type == kmodld::elf::sht_symtab)
        h.sh_link = count + 2;
      out.insert(out.end(), s.data.begin(), s.data.end());
    }
    if (Format::bits == 32 && out.size() > 0xffffffffu - headers.size() * sizeof(shdr))
      throw refusal(EFBIG, "the objects together are larger than 4 GiB");
    ehdr h = like;
    h.e_shoff = static_cast<word>(out.size());
    h.e_shentsize = sizeof(shdr);
    h.e_shnum = static_cast<kmodld::u16>(headers.size());
    h.e_shstrndx = static_cast<kmodld::u16>(headers.size() - 1);
    h.e_phoff = 0;
    h.e_phnum = 0;
    std::memcpy(out.data(), &h, sizeof h);
    const auto* first = reinterpret_cast<const std::byte*>(headers.data());
    out.insert(out.end(), first, first + headers.size() * sizeof(shdr));
    return out;
  }

private:
  static u32 append(std::string& names, std::string_view name) {
    const std::size_t at = names.size();
    if (at > 0xffffffff)
      throw refusal(EFBIG, "the objects' names take more than 4 GiB");
    names.append(name).push_back('\0');
    return static_cast<u32>(at);
  }
  static kmodld::byte_view view(const std::string& s) {
    return {reinterpret_cast<const std::byte*>(s.data()), s.size()};
  }

  std::string names_ = std::string(1, '\0');
  std::deque<byte_vector> kept_;
};

} // namespace linux_like
