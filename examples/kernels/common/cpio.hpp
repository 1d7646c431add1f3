// SPDX-License-Identifier: MIT
// Reads an archive in cpio's newc format (initramfs buffer format of Linux). Nothing of the archive
// is trusted: a header that does not fit ends the iteration.
#pragma once

#include "string.hpp"

namespace kernel {

class cpio_archive {
public:
  struct file {
    text name;
    bytes content;
  };

  explicit constexpr cpio_archive(bytes archive) : archive_{archive} {}

  /// Gives the next file in `out`; false at the trailer, at the end, or at the first broken header.
  bool next(file& out) {
    constexpr std::size_t header_size = 110, size_field = 54, name_size_field = 94;
    if (at_ > archive_.size() || archive_.size() - at_ < header_size)
      return false;
    auto const* header = reinterpret_cast<char const*>(archive_.data()) + at_;
    u64 size = 0, name_size = 0;
    if (!same({header, 6}, "070701") || !field(header + size_field, size) ||
        !field(header + name_size_field, name_size) || name_size == 0)
      return false;
    // Both sizes are below 2^32, so these sums cannot wrap.
    u64 content = pad(at_ + header_size + name_size);
    if (content > archive_.size() || size > archive_.size() - content)
      return false;
    out.name = {header + header_size, name_size - 1};
    out.content = archive_.subspan(content, size);
    at_ = pad(content + size);
    return !same(out.name, "TRAILER!!!");
  }

  /// The content of `name`; empty if there is no such file.
  static bytes find(bytes archive, text name) {
    cpio_archive all{archive};
    for (file f; all.next(f);)
      if (same(f.name, name))
        return f.content;
    return {};
  }

private:
  static constexpr u64 pad(u64 n) { return (n + 3) & ~u64{3}; }

  static bool field(char const* digits, u64& out) {
    out = 0;
    for (int i = 0; i < 8; ++i) {
      char c = digits[i];
      bool letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
      if (!letter && (c < '0' || c > '9'))
        return false;
      out = out << 4 | static_cast<u64>(letter ? (c | 32) - 'a' + 10 : c - '0');
    }
    return true;
  }

  bytes archive_;
  u64 at_ = 0;
};

} // namespace kernel
