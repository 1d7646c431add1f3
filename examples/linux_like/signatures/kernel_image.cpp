// SPDX-License-Identifier: MIT
#include "kernel_image.hpp"

#include <algorithm>
#include <cstring>

namespace linux_like {
namespace {

std::uint32_t word_at(const byte_vector& file, std::size_t at) {
  std::uint32_t out;
  std::memcpy(&out, file.data() + at, sizeof out);
  return out;
}

/// The packed kernel of an x86 image; empty for anything else. Linux's boot protocol: setup_sects,
/// header, payload_offset (from the protected-mode code on) and payload_length.
kmodld::byte_view payload(const byte_vector& file) {
  constexpr std::size_t setup_sectors = 0x1f1, magic = 0x202, offset = 0x248, length = 0x24c;
  if (file.size() < length + 4 || std::memcmp(file.data() + magic, "HdrS", 4) != 0)
    return {};
  const std::size_t sectors = std::to_integer<std::size_t>(file[setup_sectors]);
  const std::size_t start = ((sectors == 0 ? 4 : sectors) + 1) * 512 + word_at(file, offset);
  const std::size_t size = word_at(file, length);
  return start <= file.size() && size <= file.size() - start
             ? kmodld::byte_view(file).subspan(start, size)
             : kmodld::byte_view();
}

} // namespace

byte_vector read_kernel_image(const std::filesystem::path& file) {
  byte_vector whole = read_file(file);
  const kmodld::byte_view inner = payload(whole);
  if (inner.empty())
    return unpack(packing_by_content(whole), whole, file.string());
  packing how = packing_by_content(inner);
  // The size of the kernel, four bytes, stands behind what has no place for it.
  const std::size_t behind = how == packing::gzip || inner.size() < 4 ? 0 : 4;
  return unpack(how, inner.first(inner.size() - behind), file.string());
}

} // namespace linux_like
