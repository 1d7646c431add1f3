// SPDX-License-Identifier: MIT
// Reads module files, compressed ones too, and looks into them without loading.
#pragma once

#include "module_view.hpp"

#include <kmodld/kmodld.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace linux_like {

using byte_vector = std::vector<std::byte>;

/// The content of `.ko`, `.ko.xz`, `.ko.zst` or `.ko.gz`. Throws refusal: the errno of open and
/// read, EACCES for what is no file, EINVAL for an empty file (as finit_module answers) and for
/// damaged compression, EFBIG beyond a gigabyte, or beyond 256 MiB without compression.
byte_vector read_module_file(const std::filesystem::path& file);
byte_vector decompress(const std::filesystem::path& name, byte_vector packed);
/// The file as it is; the same errors but those of compression.
byte_vector read_file(const std::filesystem::path& file);

enum class packing { none, xz, zstd, gzip };
packing packing_by_name(std::string_view name);
packing packing_by_content(kmodld::byte_view file);
/// `name` is for messages. Throws refusal: EINVAL for what is damaged, EFBIG beyond 256 MiB.
byte_vector unpack(packing how, kmodld::byte_view packed, const std::string& name);

/// Whether a file name is that of a module, and the module's name, with underscores.
bool is_module_file(const std::filesystem::path& file);
std::string module_name_of(const std::filesystem::path& file);
/// Dashes become underscores.
std::string folded(std::string_view name);

using module_view = basic_module_view<kmodld::arch::x86_64>;

/// The view of a module of this host's machine. Throws refusal.
module_view view_module(kmodld::byte_view bytes);

} // namespace linux_like
