// SPDX-License-Identifier: MIT
// Module files and views of them.
#include "module_file.hpp"

#include "refusal.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace linux_like {

namespace {

constexpr off_t largest_file = off_t{1} << 30;

} // namespace

byte_vector read_file(const std::filesystem::path& file) {
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  const auto fail = [&](int number) {
    if (fd >= 0)
      close(fd);
    throw refusal(number, file.string() + ": " + std::strerror(number));
  };
  struct stat status{};
  if (fd < 0 || fstat(fd, &status) != 0)
    fail(errno);
  if (!S_ISREG(status.st_mode))
    fail(EACCES);
  if (status.st_size >= largest_file)
    fail(EFBIG);
  byte_vector bytes(static_cast<std::size_t>(status.st_size));
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = read(fd, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno != EINTR)
      fail(errno);
    if (count == 0)
      break;
    done += count < 0 ? 0 : static_cast<std::size_t>(count);
  }
  bytes.resize(done);
  if (bytes.empty())
    fail(EINVAL);
  close(fd);
  return bytes;
}

byte_vector read_module_file(const std::filesystem::path& file) {
  return decompress(file, read_file(file));
}

namespace {

constexpr std::string_view suffixes[] = {".ko", ".ko.xz", ".ko.zst", ".ko.gz"};

std::string_view suffix_of(std::string_view name) {
  for (const std::string_view suffix : suffixes)
    if (name.size() > suffix.size() && name.ends_with(suffix))
      return suffix;
  return {};
}

} // namespace

bool is_module_file(const std::filesystem::path& file) { return !suffix_of(file.native()).empty(); }

std::string folded(std::string_view name) {
  std::string out(name);
  std::ranges::replace(out, '-', '_');
  return out;
}

std::string module_name_of(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  return folded(std::string_view(name).substr(0, name.size() - suffix_of(name).size()));
}

module_view view_module(kmodld::byte_view bytes) { return module_view(bytes); }

} // namespace linux_like
