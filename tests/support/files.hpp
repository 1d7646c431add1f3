// SPDX-License-Identifier: MIT
// Reads files for tests: plain ones, and modules as packages have them (`.ko`, `.ko.xz`).
//
// Errors are exceptions (std::runtime_error) that name the file.
#pragma once

#include "support/elf_file.hpp"

#include <lzma.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace kmodld::test {

inline byte_vector read_file(std::filesystem::path const& path) {
  std::ifstream in{path, std::ios::binary | std::ios::ate};
  if (!in)
    throw std::runtime_error(path.string() + ": cannot be opened");
  byte_vector out(static_cast<std::size_t>(in.tellg()));
  in.seekg(0);
  in.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
  if (!in)
    throw std::runtime_error(path.string() + ": cannot be read");
  return out;
}

inline bool is_xz(byte_view bytes) noexcept {
  return starts_with(as_text(bytes), "\xfd"
                                     "7zXZ\0"sv);
}

/// Decompresses one or several xz streams; `name` is for the error.
inline byte_vector decompress_xz(byte_view in, std::string const& name) {
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_stream_decoder(&stream, UINT64_MAX, LZMA_CONCATENATED) != LZMA_OK)
    throw std::runtime_error(name + ": no memory for xz");
  byte_vector out(in.size() * 4 + 65536);
  stream.next_in = reinterpret_cast<std::uint8_t const*>(in.data());
  stream.avail_in = in.size();
  lzma_ret status = LZMA_OK;
  while (status == LZMA_OK) {
    std::size_t done = static_cast<std::size_t>(stream.total_out);
    if (done == out.size())
      out.resize(out.size() * 2);
    stream.next_out = reinterpret_cast<std::uint8_t*>(out.data()) + done;
    stream.avail_out = out.size() - done;
    status = lzma_code(&stream, LZMA_FINISH);
  }
  out.resize(static_cast<std::size_t>(stream.total_out));
  lzma_end(&stream);
  if (status != LZMA_STREAM_END)
    throw std::runtime_error(name + ": damaged xz file");
  out.shrink_to_fit();
  return out;
}

/// A file as it is, or decompressed if it is an xz file, whatever its name.
inline byte_vector read_maybe_xz(std::filesystem::path const& path) {
  byte_vector bytes = read_file(path);
  return is_xz(bytes) ? decompress_xz(bytes, path.string()) : bytes;
}

/// Where the module of a package lies under `root`: `path` itself, with or without `.xz`, with or
/// without `usr/` (merged /usr); empty if nowhere.
inline std::filesystem::path find_in_package(std::filesystem::path const& root,
                                             std::string const& path) {
  std::string stem = path.ends_with(".xz") ? path.substr(0, path.size() - 3) : path;
  std::string other = stem.starts_with("usr/") ? stem.substr(4) : "usr/" + stem;
  for (std::string const& p : {path, stem, stem + ".xz", other, other + ".xz"}) {
    std::error_code ignored;
    if (std::filesystem::is_regular_file(root / p, ignored))
      return root / p;
  }
  return {};
}

} // namespace kmodld::test
