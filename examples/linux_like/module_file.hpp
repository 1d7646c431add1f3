// SPDX-License-Identifier: MIT
// Reads module files, compressed ones too, and looks into them without loading.
#pragma once

#include <kmodld/kmodld.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace linux_like {

using byte_vector = std::vector<std::byte>;

/// The content of `.ko`, `.ko.xz`, `.ko.zst` or `.ko.gz`. Throws refusal: the errno of open and
/// read, EACCES for what is no file, EINVAL for an empty file (as finit_module answers) and for
/// damaged compression, EFBIG beyond a gigabyte.
byte_vector read_module_file(const std::filesystem::path& file);
byte_vector decompress(const std::filesystem::path& name, byte_vector packed);

/// Whether a file name is that of a module, and the module's name, with underscores.
bool is_module_file(const std::filesystem::path& file);
std::string module_name_of(const std::filesystem::path& file);
/// Dashes become underscores.
std::string folded(std::string_view name);

/// A checked image and what tools ask of it. Views into the bytes given.
struct module_view {
  using format = kmodld::arch::x86_64::format;

  kmodld::elf::image<format> image;
  kmodld::modinfo tags;
  kmodld::modversions<format> versions;
  bool has_versions = false;
  kmodld::u32 symtab = 0; ///< section index; 0: none

  kmodld::elf::table<format::sym> symbols() const { return image.entries<format::sym>(symtab); }
  std::string_view name_of(const format::sym& s) const {
    return kmodld::string_at(image.data(image.section(symtab).sh_link), s.st_name);
  }
  /// Names of `__ksymtab_NAME` symbols.
  std::vector<std::string_view> exported_names() const;
  /// Names of undefined symbols, weak ones left out.
  std::vector<std::string_view> needed_names() const;
};

/// Throws refusal with the loader's words where the image is not sound.
module_view view_module(kmodld::byte_view bytes);

} // namespace linux_like
