// SPDX-License-Identifier: MIT
// The bytes of an ELF object that a test may damage: headers and tables as writable structures.
//
// Deliberately unchecked: it is for objects that a test made itself or that are known to be sound.
#pragma once

#include <kmodld/elf/types.hpp>
#include <kmodld/text.hpp>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace kmodld::test {

using byte_vector = std::vector<std::byte>;

inline byte_vector bytes_of(std::string_view s) {
  auto const* p = reinterpret_cast<std::byte const*>(s.data());
  return {p, p + s.size()};
}

inline byte_vector bytes_of(std::initializer_list<int> values) {
  byte_vector out;
  for (int v : values)
    out.push_back(static_cast<std::byte>(v));
  return out;
}

/// `f.section(".text").sh_offset = 1 << 30;` is all that it takes to damage a file.
template <class Format>
class elf_file {
public:
  using format = Format;
  using ehdr = typename Format::ehdr;
  using shdr = typename Format::shdr;
  using sym = typename Format::sym;

  elf_file() = default;
  explicit elf_file(byte_vector b) : bytes{std::move(b)} {}

  byte_vector bytes;

  byte_view view() const noexcept { return bytes; }
  operator byte_view() const noexcept { return bytes; }

  ehdr& header() { return *at<ehdr>(0); }
  u32 section_count() { return header().e_shnum; }
  shdr& section(u32 i) {
    return *at<shdr>(static_cast<u64>(header().e_shoff) + u64{i} * sizeof(shdr));
  }
  shdr& section(std::string_view name) { return section(index(name)); }

  std::string_view name(u32 i) {
    shdr& names = section(u32{header().e_shstrndx});
    return string_at(
        byte_view{at<std::byte>(names.sh_offset), static_cast<std::size_t>(names.sh_size)},
        section(i).sh_name);
  }

  /// Index of the first section of this name; throws if there is none.
  u32 index(std::string_view wanted) {
    for (u32 i = 1; i < section_count(); ++i)
      if (equal(name(i), wanted))
        return i;
    throw std::out_of_range("no section " + std::string{wanted});
  }
  bool has(std::string_view wanted) {
    for (u32 i = 1; i < section_count(); ++i)
      if (equal(name(i), wanted))
        return true;
    return false;
  }

  /// The bytes of a section in the file.
  std::span<std::byte> data(u32 i) {
    return {at<std::byte>(section(i).sh_offset), static_cast<std::size_t>(section(i).sh_size)};
  }
  std::span<std::byte> data(std::string_view wanted) { return data(index(wanted)); }

  /// A section as a table of T (sym, rela ...).
  template <class T>
  std::span<T> entries(u32 i) {
    return {at<T>(section(i).sh_offset), static_cast<std::size_t>(section(i).sh_size) / sizeof(T)};
  }
  template <class T>
  std::span<T> entries(std::string_view wanted) {
    return entries<T>(index(wanted));
  }

  sym& symbol(std::string_view wanted) {
    u32 table = index(".symtab");
    std::span<std::byte> names = data(u32{section(table).sh_link});
    for (sym& s : entries<sym>(table))
      if (equal(string_at(names, s.st_name), wanted))
        return s;
    throw std::out_of_range("no symbol " + std::string{wanted});
  }

  /// Overwrites the first occurrence of `from` by `to` of the same length; throws if there is none.
  void replace(std::string_view from, std::string_view to) {
    if (from.size() != to.size())
      throw std::invalid_argument("replace changes the length");
    std::size_t place = as_text(bytes).find(from);
    if (place == std::string_view::npos)
      throw std::out_of_range("no text " + std::string{from});
    copy(to, bytes.data() + place);
  }

  /// The same inside one section.
  void replace(std::string_view section_name, std::string_view from, std::string_view to) {
    if (from.size() != to.size())
      throw std::invalid_argument("replace changes the length");
    std::span<std::byte> d = data(section_name);
    std::size_t place = as_text(d).find(from);
    if (place == std::string_view::npos)
      throw std::out_of_range("no text " + std::string{from});
    copy(to, d.data() + place);
  }

private:
  template <class T>
  T* at(u64 offset) {
    if (offset > bytes.size())
      throw std::out_of_range("beyond the file");
    return reinterpret_cast<T*>(bytes.data() + static_cast<std::size_t>(offset));
  }
  static void copy(std::string_view s, std::byte* out) {
    for (char c : s)
      *out++ = static_cast<std::byte>(c);
  }
};

} // namespace kmodld::test
