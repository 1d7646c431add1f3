// SPDX-License-Identifier: MIT
// Looks into a module's file without loading it, for any architecture.
#pragma once

#include "refusal.hpp"

#include <kmodld/elf/image.hpp>
#include <kmodld/layout/layout.hpp>
#include <kmodld/linux/modinfo.hpp>
#include <kmodld/linux/versions.hpp>

#include <cerrno>
#include <vector>

namespace linux_like {

/// Whether sections share the bytes of their names so that they take more than twice the file:
/// whoever copies each would need memory of the file's choice. Compilers' objects are far below
/// that, with `.text` and `.rela.text` in the same bytes, too.
template <class Format>
bool shares_section_names(const kmodld::elf::image<Format>& image, kmodld::u64 file_size) {
  kmodld::u64 total = 0;
  for (kmodld::u32 i = 1; i < image.section_count() && total <= 2 * file_size; ++i)
    total += image.name(i).size() + 1;
  return total > 2 * file_size;
}

/// A checked image and what tools ask of it. Views into the bytes given.
template <class Arch>
struct basic_module_view {
  using format = typename Arch::format;
  using sym = typename format::sym;

  kmodld::elf::image<format> image;
  kmodld::modinfo tags;
  kmodld::modversions<format> versions;
  bool has_versions = false;
  kmodld::u32 symtab = 0; ///< section index; 0: none

  /// Throws refusal with the loader's words where the image is not sound.
  explicit basic_module_view(kmodld::byte_view bytes) {
    kmodld::error error;
    // A signature's trailer is not part of the object; the checks look at no byte behind it.
    const auto accepts = [](const typename format::ehdr& h) { return Arch::accepts(h); };
    if (kmodld::elf::image<format>::check(bytes, accepts, image, error) != kmodld::errc::ok)
      throw refused(error);
    for (kmodld::u32 i = 1; i < image.section_count(); ++i) {
      if (image.section(i).sh_type == kmodld::elf::sht_symtab && symtab == 0)
        symtab = i;
      if (image.is_named(i, ".modinfo"))
        tags = kmodld::modinfo(image.data(i));
      if (image.is_named(i, "__versions")) {
        versions = kmodld::modversions<format>(image.data(i));
        has_versions = true;
      }
    }
    if (shares_section_names(image, bytes.size()))
      throw refusal(ENOEXEC, "section names share their bytes");
    check_symbol_names();
  }

  kmodld::elf::table<sym> symbols() const { return image.template entries<sym>(symtab); }
  std::string_view name_of(const sym& s) const {
    return kmodld::string_at(image.data(image.section(symtab).sh_link), s.st_name);
  }

  /// Names of `__ksymtab_NAME` symbols.
  std::vector<std::string_view> exported_names() const {
    constexpr std::string_view prefix = "__ksymtab_";
    std::vector<std::string_view> out;
    for (const sym& s : symbols())
      if (s.st_shndx != kmodld::elf::shn_undef && name_of(s).starts_with(prefix))
        out.push_back(name_of(s).substr(prefix.size()));
    return out;
  }

  /// Names of undefined symbols, weak ones left out.
  std::vector<std::string_view> needed_names() const {
    std::vector<std::string_view> out;
    for (const sym& s : symbols())
      if (s.st_shndx == kmodld::elf::shn_undef && s.st_name != 0 &&
          kmodld::elf::st_bind(s.st_info) != kmodld::elf::stb_weak)
        out.push_back(name_of(s));
    return out;
  }

private:
  /// Symbols may share the bytes of their names, as sections may.
  void check_symbol_names() const {
    if (symtab == 0)
      return;
    const kmodld::u64 limit =
        kmodld::symbol_name_limit(image.data(image.section(symtab).sh_link).size());
    kmodld::u64 total = 0;
    for (const sym& s : symbols()) {
      total += name_of(s).size() + 1;
      if (total > limit)
        throw refusal(ENOEXEC, "symbol names share their bytes");
    }
  }
};

} // namespace linux_like
