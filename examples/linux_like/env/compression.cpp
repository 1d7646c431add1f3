// SPDX-License-Identifier: MIT
// The halves of LZ4 and zstd that Linux has built in and the compressing modules import; liblz4 and
// libzstd do the work.
#include <cstdint>
#include <lz4.h>
#include <zstd.h>
#include <zstd_errors.h>

namespace {

/// ZSTD_customMem, passed by value on the stack.
struct allocator {
  void* (*allocate)(void* opaque, std::size_t bytes);
  void (*release)(void* opaque, void* block);
  void* opaque;
};

/// Entropy tables are read back only from dictionaries, which nothing here gives to the compressor.
constexpr std::size_t corrupted_dictionary = std::size_t{0} - ZSTD_error_dictionary_corrupted;

} // namespace

extern "C" {

int host_LZ4_decompress_safe(const char* from, char* to, int packed, int room) {
  return LZ4_decompress_safe(from, to, packed, room);
}
int host_LZ4_decompress_safe_partial(const char* from, char* to, int packed, int wanted, int room) {
  return LZ4_decompress_safe_partial(from, to, packed, wanted, room);
}
int host_LZ4_decompress_safe_usingDict(const char* from, char* to, int packed, int room,
                                       const char* dictionary, int length) {
  return LZ4_decompress_safe_usingDict(from, to, packed, room, dictionary, length);
}

unsigned host_zstd_is_error(std::size_t code) { return ZSTD_isError(code); }
int host_zstd_get_error_code(std::size_t code) { return ZSTD_getErrorCode(code); }
const char* host_zstd_get_error_name(std::size_t code) { return ZSTD_getErrorName(code); }

// Without an allocator of the caller the kernel's zstd works in a given workspace and allocates
// nothing.
void* host_ZSTD_customMalloc(std::size_t bytes, allocator from) {
  return from.allocate == nullptr ? nullptr : from.allocate(from.opaque, bytes);
}
void* host_ZSTD_customCalloc(std::size_t bytes, allocator from) {
  void* block = host_ZSTD_customMalloc(bytes, from);
  for (std::size_t i = 0; block != nullptr && i < bytes; ++i)
    static_cast<char*>(block)[i] = 0;
  return block;
}
void host_ZSTD_customFree(void* block, allocator to) {
  if (block != nullptr && to.release != nullptr)
    to.release(to.opaque, block);
}

std::size_t host_FSE_readNCount(short*, unsigned*, unsigned*, const void*, std::size_t) {
  return corrupted_dictionary;
}
std::size_t host_HUF_readStats(std::uint8_t*, std::size_t, std::uint32_t*, std::uint32_t*,
                               std::uint32_t*, const void*, std::size_t) {
  return corrupted_dictionary;
}

} // extern "C"
