// SPDX-License-Identifier: MIT
// Memory and files of linked images.
#include "link.hpp"

#include "../refusal.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sys/mman.h>
#include <unistd.h>

namespace linux_like {

lazy_memory::lazy_memory(std::size_t size) : size_(size) {
  void* p = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                 -1, 0);
  if (p == MAP_FAILED)
    throw refusal(ENOMEM, fmt::format("no memory for {} bytes of sections", size));
  data_ = static_cast<std::byte*>(p);
}

lazy_memory::~lazy_memory() { munmap(data_, size_); }

kmodld::u64 image_size(const linked_image& image, kmodld::u64 base) {
  kmodld::u64 last = 0; // byte of the image
  bool any = false;
  for (const linked_image::section& s : image.sections)
    if (s.size != 0 && s.address + (s.size - 1) >= base) {
      last = std::max(last, s.address + (s.size - 1) - base);
      any = true;
    }
  if (last >= longest_image)
    throw refusal(EFBIG, fmt::format("the image would reach from {:#x} to {:#x}; {:#x} bytes are "
                                     "the most that is written",
                                     base, base + last, longest_image));
  return any ? last + 1 : 0;
}

namespace {

/// Writes all of `bytes` at an offset of the file; false with errno.
bool write_at(int fd, const std::byte* bytes, std::size_t size, off_t offset) {
  while (size != 0) {
    const ssize_t count = pwrite(fd, bytes, size, offset);
    if (count < 0 && errno != EINTR)
      return false;
    if (count > 0) {
      bytes += count;
      size -= static_cast<std::size_t>(count);
      offset += count;
    }
  }
  return true;
}

} // namespace

void write_image(const linked_image& image, kmodld::u64 base, const std::string& file) {
  const kmodld::u64 size = image_size(image, base);
  const int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  bool good = fd >= 0 && ftruncate(fd, static_cast<off_t>(size)) == 0;
  for (const linked_image::section& s : image.sections) {
    // Of a section that the user placed across the base, what lies above it.
    const kmodld::u64 below = s.address < base ? std::min(base - s.address, s.size) : 0;
    if (good && s.bytes != nullptr && below != s.size)
      good = write_at(fd, s.bytes + below, s.size - below,
                      static_cast<off_t>(s.address + below - base));
  }
  const int number = errno;
  if (fd >= 0 && close(fd) != 0 && good)
    throw refusal(errno, file + ": " + std::strerror(errno));
  if (!good)
    throw refusal(number, file + ": " + std::strerror(number));
}

void write_map(const linked_image& image, kmodld::u64 base, const std::string& file) {
  nlohmann::ordered_json map;
  map["base"] = base;
  map["size"] = image_size(image, base);
  map["sections"] = nlohmann::ordered_json::array();
  for (const linked_image::section& s : image.sections)
    map["sections"].push_back(
        {{"name", s.name}, {"file", s.file}, {"address", s.address}, {"size", s.size}});
  map["symbols"] = image.symbols;
  map["got"] = image.got;
  map["stubs"] = image.stubs;
  std::ofstream out(file);
  // Names come from files and may be no UTF-8.
  out << map.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
  out.close();
  if (!out)
    throw refusal(errno, file + ": " + std::strerror(errno));
}

} // namespace linux_like
