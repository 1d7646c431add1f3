// SPDX-License-Identifier: MIT
// Compressed module files: .xz by liblzma, .zst by libzstd, .gz by zlib.
#include "module_file.hpp"
#include "refusal.hpp"

#include <algorithm>
#include <cerrno>
#include <lzma.h>
#include <memory>
#include <zlib.h>
#include <zstd.h>

namespace linux_like {
namespace {

/// A small file may say that it is any size: what it takes is bounded far below the machine's
/// memory.
constexpr std::size_t largest = std::size_t{256} << 20;
constexpr std::size_t piece = std::size_t{1} << 18;

/// Room for more output behind `used` bytes.
void make_room(byte_vector& out, std::size_t used, const std::string& name) {
  if (used >= largest)
    throw refusal(EFBIG, name + ": larger than 256 MiB without compression");
  out.resize(std::min(std::max(used + piece, used * 2), largest));
}

[[noreturn]] void damaged(const std::string& name, const char* how) {
  throw refusal(EINVAL, name + ": " + how + " data is damaged");
}

byte_vector unpack_xz(kmodld::byte_view packed, const std::string& name) {
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_stream_decoder(&stream, std::uint64_t{256} << 20, LZMA_CONCATENATED) != LZMA_OK)
    throw refusal(ENOMEM);
  const std::unique_ptr<lzma_stream, void (*)(lzma_stream*)> closer(&stream, lzma_end);
  stream.next_in = reinterpret_cast<const std::uint8_t*>(packed.data());
  stream.avail_in = packed.size();
  byte_vector out;
  for (lzma_ret status = LZMA_OK; status != LZMA_STREAM_END;) {
    const auto used = static_cast<std::size_t>(stream.total_out);
    make_room(out, used, name);
    stream.next_out = reinterpret_cast<std::uint8_t*>(out.data() + used);
    stream.avail_out = out.size() - used;
    status = lzma_code(&stream, LZMA_FINISH);
    if (status != LZMA_OK && status != LZMA_STREAM_END)
      damaged(name, "xz");
  }
  out.resize(static_cast<std::size_t>(stream.total_out));
  return out;
}

byte_vector unpack_zstd(kmodld::byte_view packed, const std::string& name) {
  const std::unique_ptr<ZSTD_DStream, std::size_t (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(),
                                                                             ZSTD_freeDStream);
  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  byte_vector out;
  std::size_t used = 0;
  for (std::size_t rest = 1; rest != 0 || in.pos < in.size;) {
    make_room(out, used, name);
    ZSTD_outBuffer to{out.data() + used, out.size() - used, 0};
    const std::size_t before = in.pos;
    rest = ZSTD_decompressStream(stream.get(), &to, &in);
    if (ZSTD_isError(rest) || (rest != 0 && in.pos == in.size && to.pos == 0 && before == in.pos))
      damaged(name, "zstd");
    used += to.pos;
  }
  out.resize(used);
  return out;
}

byte_vector unpack_gzip(kmodld::byte_view packed, const std::string& name) {
  z_stream stream{};
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK)
    throw refusal(ENOMEM);
  const std::unique_ptr<z_stream, int (*)(z_stream*)> closer(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  byte_vector out;
  for (int status = Z_OK; status != Z_STREAM_END;) {
    const std::size_t used = stream.total_out;
    make_room(out, used, name);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + used);
    stream.avail_out = static_cast<uInt>(out.size() - used);
    status = inflate(&stream, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END)
      damaged(name, "gzip");
  }
  out.resize(stream.total_out);
  return out;
}

} // namespace

packing packing_by_name(std::string_view name) {
  return name.ends_with(".xz")    ? packing::xz
         : name.ends_with(".zst") ? packing::zstd
         : name.ends_with(".gz")  ? packing::gzip
                                  : packing::none;
}

packing packing_by_content(kmodld::byte_view file) {
  const std::string_view text = kmodld::as_text(file);
  return text.starts_with("\xfd"
                          "7zXZ")
             ? packing::xz
         : text.starts_with("\x28\xb5\x2f\xfd") ? packing::zstd
         : text.starts_with("\x1f\x8b")         ? packing::gzip
                                                : packing::none;
}

byte_vector unpack(packing how, kmodld::byte_view packed, const std::string& name) {
  switch (how) {
  case packing::xz: return unpack_xz(packed, name);
  case packing::zstd: return unpack_zstd(packed, name);
  case packing::gzip: return unpack_gzip(packed, name);
  default: return {packed.begin(), packed.end()};
  }
}

byte_vector decompress(const std::filesystem::path& file, byte_vector packed) {
  const std::string name = file.string();
  const packing how = packing_by_name(name);
  byte_vector out = how == packing::none ? std::move(packed) : unpack(how, packed, name);
  if (out.empty())
    throw refusal(EINVAL, name + ": empty");
  return out;
}

} // namespace linux_like
