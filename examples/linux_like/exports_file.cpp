// SPDX-License-Identifier: MIT
// Reads Module.symvers.
#include "exports_file.hpp"

#include "refusal.hpp"

#include <cerrno>
#include <charconv>
#include <fstream>

namespace linux_like {

exports_file read_exports_file(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in)
    throw refusal(errno == 0 ? ENOENT : errno, file.string() + ": " + std::strerror(errno));
  exports_file out;
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    std::vector<std::string_view> fields;
    for (std::string_view rest = line;;) {
      const std::size_t tab = rest.find('\t');
      fields.push_back(rest.substr(0, tab));
      if (tab == rest.npos)
        break;
      rest.remove_prefix(tab + 1);
    }
    export_line one;
    std::string_view crc = fields[0];
    if (crc.starts_with("0x"))
      crc.remove_prefix(2);
    const auto parsed = std::from_chars(crc.data(), crc.data() + crc.size(), one.crc, 16);
    if (fields.size() < 4 || parsed.ec != std::errc{} || parsed.ptr != crc.data() + crc.size())
      throw refusal(EINVAL, file.string() + ":" + std::to_string(number) +
                                ": not a line of Module.symvers");
    one.name = fields[1];
    if (fields[2] != "vmlinux") {
      out.modules.emplace(std::move(one.name), fields[2]);
      continue;
    }
    one.gpl_only = fields[3].starts_with("EXPORT_SYMBOL_GPL");
    if (fields.size() > 4)
      one.name_space = fields[4];
    out.kernel.push_back(std::move(one));
  }
  return out;
}

} // namespace linux_like
