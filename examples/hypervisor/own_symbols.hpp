// SPDX-License-Identifier: MIT
// Symbol resolver: the program's own symbol table, static functions and variables included, as a
// hypervisor has it in its memory (Xen: xen-syms).
#pragma once

#include <kmodld/elf/types.hpp>
#include <kmodld/linux/build_id.hpp>
#include <kmodld/policy/symbol_resolver.hpp>

#include <fstream>
#include <iterator>
#include <link.h>
#include <stdexcept>
#include <unordered_map>
#include <vector>

namespace hypervisor {

using kmodld::address;
using kmodld::u64;

/// Throws std::runtime_error if the program has been stripped.
class own_symbols {
  using format = kmodld::elf::elf64_le;

public:
  struct symbol {
    address value;
    u64 size = 0;
    bool function = false;
    bool ambiguous = false; ///< another file of the program has one of this name, too
  };

  own_symbols() : file_{read("/proc/self/exe")} {
    // The first object that the dynamic linker names is the program; 0 if it is not relocatable.
    u64 moved_by = 0;
    ::dl_iterate_phdr(
        [](dl_phdr_info* program, std::size_t, void* out) {
          *static_cast<u64*>(out) = program->dlpi_addr;
          return 1;
        },
        &moved_by);
    auto const& header = part<format::ehdr>(0, 1)[0];
    auto const sections = part<format::shdr>(header.e_shoff, header.e_shnum);
    for (auto const& s : sections) {
      if (s.sh_type == kmodld::elf::sht_note && build_id_.empty())
        build_id_ = kmodld::find_build_id<format>(part<std::byte>(s.sh_offset, s.sh_size));
      if (s.sh_type == kmodld::elf::sht_symtab && s.sh_link < sections.size())
        add_all(s, sections, moved_by);
    }
    if (symbols_.empty())
      throw std::runtime_error{"the program has no symbol table"};
  }

  /// Null if there is none of this name, or more than one: a patch could mean either.
  symbol const* find(std::string_view name) const noexcept {
    auto const found = symbols_.find(name);
    return found == symbols_.end() || found->second.ambiguous ? nullptr : &found->second;
  }
  bool find(std::string_view name, bool, kmodld::exported_symbol& out) const noexcept {
    symbol const* const s = find(name);
    if (s != nullptr)
      out = {.value = s->value};
    return s != nullptr;
  }
  /// Patches are asked to lie where 32-bit distances reach all of it.
  kmodld::reach_window bounds() const noexcept { return bounds_; }

  kmodld::byte_view build_id() const noexcept { return build_id_; }

private:
  static std::vector<char> read(char const* path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }

  /// `count` structures of the file.
  template <class T>
  std::span<T const> part(u64 offset, u64 count) const {
    static_assert(alignof(T) == 1);
    if (offset > file_.size() || count > (file_.size() - offset) / sizeof(T))
      throw std::runtime_error{"the program's file is damaged"};
    return {reinterpret_cast<T const*>(file_.data() + offset), static_cast<std::size_t>(count)};
  }

  void add_all(format::shdr const& table, std::span<format::shdr const> sections, u64 moved_by) {
    using namespace kmodld::elf;
    auto const& strings = sections[table.sh_link];
    auto const names = part<std::byte>(strings.sh_offset, strings.sh_size);
    for (auto const& s : part<format::sym>(table.sh_offset, table.sh_size / sizeof(format::sym))) {
      kmodld::u8 const type = st_type(s.st_info);
      if (s.st_shndx == shn_undef || s.st_shndx >= sections.size() || type > stt_func)
        continue;
      address const value{s.st_value + moved_by};
      auto const [at, is_new] = symbols_.try_emplace(kmodld::string_at(names, s.st_name),
                                                     symbol{value, s.st_size, type == stt_func});
      at->second.ambiguous = !is_new;
      bounds_ = {std::min(bounds_.first, value), std::max(bounds_.last, value)};
    }
  }

  std::vector<char> file_;
  kmodld::byte_view build_id_;
  std::unordered_map<std::string_view, symbol> symbols_; ///< names lie in file_
  kmodld::reach_window bounds_{{~u64{0}}, {0}};
};
static_assert(kmodld::symbol_resolver_policy<own_symbols>);
static_assert(kmodld::bounded_resolver<own_symbols>);

} // namespace hypervisor
