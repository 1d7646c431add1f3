// SPDX-License-Identifier: MIT
// What the kernel's compressors write, liblz4 and libzstd must read back.
#include "support.hpp"

#include <algorithm>
#include <lz4.h>
#include <zstd.h>

namespace linux_like::checks {
namespace {

using u8 = std::uint8_t;

int length(const bytes& data) { return static_cast<int>(data.size()); }
const char* characters(const bytes& data) { return reinterpret_cast<const char*>(data.data()); }
char* characters(bytes& data) { return reinterpret_cast<char*>(data.data()); }

/// Compresses every sample by `compress(source, target)` -> bytes written, and lets liblz4 unpack
/// it.
template <class Compress>
void lz4_round_trips(verdict& result, const std::string& what, Compress&& compress) {
  for (const sample& one : samples()) {
    bytes packed(static_cast<std::size_t>(LZ4_compressBound(length(one.data))));
    const int written = compress(one.data, packed);
    result.that(written > 0 && written <= length(packed), what + " of " + one.name + ": no output");
    bytes unpacked(one.data.size());
    const int read =
        LZ4_decompress_safe(characters(packed), characters(unpacked), written, length(unpacked));
    result.equal(static_cast<std::uint64_t>(read), one.data.size(),
                 what + " of " + one.name + ": length");
    result.equal(unpacked, one.data, what + " of " + one.name);
    const bool shrinks =
        std::string_view(one.name) == "text" || std::string_view(one.name) == "zeros";
    result.that(!shrinks || written < length(one.data) / 2,
                what + " of " + one.name + ": hardly smaller");
  }
}

/// Blocks of a stream that refer back to a dictionary, taken by `load(dictionary)`.
template <class Load, class Continue>
void lz4_with_dictionary(verdict& result, Load&& load, Continue&& compress_next) {
  const bytes dictionary = from_text("the words that every record repeats: name, length, checksum");
  const bytes record = from_text("record: the words that every record repeats: checksum, length");
  result.equal(static_cast<std::uint64_t>(load(dictionary)), dictionary.size(), "dictionary");
  bytes packed(static_cast<std::size_t>(LZ4_compressBound(length(record))));
  const int written = compress_next(record, packed);
  result.that(written > 0 && written < length(record) - 30, "the dictionary saves too little");
  bytes unpacked(record.size());
  const int read =
      LZ4_decompress_safe_usingDict(characters(packed), characters(unpacked), written,
                                    length(unpacked), characters(dictionary), length(dictionary));
  result.equal(static_cast<std::uint64_t>(read), record.size(), "length with dictionary");
  result.equal(unpacked, record, "with dictionary");
}

bool lz4_compress(const symbol_lookup& symbols, std::string& why) {
  verdict result(why);
  bytes work(1 << 15);
  const auto simple =
      symbols.function<int(const char*, char*, int, int, void*)>("LZ4_compress_default");
  const auto fast =
      symbols.function<int(const char*, char*, int, int, int, void*)>("LZ4_compress_fast");
  const auto fill =
      symbols.function<int(const char*, char*, int*, int, void*)>("LZ4_compress_destSize");
  lz4_round_trips(result, "default", [&](const bytes& from, bytes& to) {
    return simple(characters(from), characters(to), length(from), length(to), work.data());
  });
  lz4_round_trips(result, "fast 17", [&](const bytes& from, bytes& to) {
    return fast(characters(from), characters(to), length(from), length(to), 17, work.data());
  });

  bytes small(1000);
  for (const sample& one : samples()) {
    int taken = length(one.data);
    const int written =
        fill(characters(one.data), characters(small), &taken, length(small), work.data());
    bytes unpacked(static_cast<std::size_t>(taken));
    const int read = LZ4_decompress_safe(characters(small), characters(unpacked), written, taken);
    result.that(written > 0 && taken > 0 && read == taken, std::string("destSize of ") + one.name);
    result.equal(unpacked, std::span(one.data).first(static_cast<std::size_t>(taken)), "destSize");
  }
  const auto load = symbols.function<int(void*, const char*, int)>("LZ4_loadDict");
  const auto next =
      symbols.function<int(void*, const char*, char*, int, int, int)>("LZ4_compress_fast_continue");
  lz4_with_dictionary(
      result, [&](const bytes& from) { return load(work.data(), characters(from), length(from)); },
      [&](const bytes& from, bytes& to) {
        return next(work.data(), characters(from), characters(to), length(from), length(to), 1);
      });
  const bytes incompressible = noise(4096, 3);
  result.equal(static_cast<std::uint64_t>(simple(characters(incompressible), characters(small),
                                                 4096, length(small), work.data())),
               0, "noise into too little room");
  return result.done();
}

bool lz4hc_compress(const symbol_lookup& symbols, std::string& why) {
  verdict result(why);
  bytes work(1 << 19);
  const auto compress =
      symbols.function<int(const char*, char*, int, int, int, void*)>("LZ4_compress_HC");
  for (const int level : {1, 9, 16})
    lz4_round_trips(result, "level " + std::to_string(level), [&](const bytes& from, bytes& to) {
      return compress(characters(from), characters(to), length(from), length(to), level,
                      work.data());
    });
  const auto reset = symbols.function<void(void*, int)>("LZ4_resetStreamHC");
  const auto load = symbols.function<int(void*, const char*, int)>("LZ4_loadDictHC");
  const auto next =
      symbols.function<int(void*, const char*, char*, int, int)>("LZ4_compress_HC_continue");
  reset(work.data(), 9);
  lz4_with_dictionary(
      result, [&](const bytes& from) { return load(work.data(), characters(from), length(from)); },
      [&](const bytes& from, bytes& to) {
        return next(work.data(), characters(from), characters(to), length(from), length(to));
      });
  return result.done();
}

/// ZSTD_compressionParameters and ZSTD_frameParameters of lib/zstd: ten ints.
struct zstd_parameters {
  unsigned compression[7];
  int frame[3];
};
struct zstd_buffer {
  void* data;
  std::size_t size, position;
};

void expect_unpacked(verdict& result, const bytes& packed, std::size_t written, const sample& one,
                     const std::string& what) {
  if (ZSTD_isError(written)) {
    result.that(false, what + ": " + ZSTD_getErrorName(written));
    return;
  }
  bytes unpacked(one.data.size() + 1);
  const std::size_t read =
      ZSTD_decompress(unpacked.data(), unpacked.size(), packed.data(), written);
  result.equal(read, one.data.size(), what + ": length");
  unpacked.resize(one.data.size());
  result.equal(unpacked, one.data, what);
}

bool zstd_compress(const symbol_lookup& symbols, std::string& why) {
  verdict result(why);
  const auto bound = symbols.function<std::size_t(std::size_t)>("zstd_compress_bound");
  const auto parameters =
      symbols.function<zstd_parameters(int, unsigned long long)>("zstd_get_params");
  const auto work_bound = symbols.function<std::size_t(const void*)>("zstd_cctx_workspace_bound");
  const auto start = symbols.function<void*(void*, std::size_t)>("zstd_init_cctx");
  const auto compress =
      symbols
          .function<std::size_t(void*, void*, std::size_t, const void*, std::size_t, const void*)>(
              "zstd_compress_cctx");
  const auto stream_bound =
      symbols.function<std::size_t(const void*)>("zstd_cstream_workspace_bound");
  const auto stream_start =
      symbols.function<void*(const void*, unsigned long long, void*, std::size_t)>(
          "zstd_init_cstream");
  const auto stream =
      symbols.function<std::size_t(void*, zstd_buffer*, zstd_buffer*)>("zstd_compress_stream");
  const auto stream_end = symbols.function<std::size_t(void*, zstd_buffer*)>("zstd_end_stream");
  result.equal(static_cast<std::uint64_t>(symbols.function<int()>("zstd_max_clevel")()), 22,
               "highest level");

  for (const int level : {1, 3, 7, 15, 19})
    for (const sample& one : samples()) {
      const std::string what = "level " + std::to_string(level) + " of " + one.name;
      zstd_parameters chosen = parameters(level, one.data.size());
      chosen.frame[1] = 1; // with a checksum (xxh64) of the content
      bytes work(work_bound(&chosen));
      bytes packed(bound(one.data.size()));
      void* context = start(work.data(), work.size());
      result.that(context != nullptr, what + ": no context");
      if (result.failed())
        return result.done();
      const std::size_t written = compress(context, packed.data(), packed.size(), one.data.data(),
                                           one.data.size(), &chosen);
      expect_unpacked(result, packed, written, one, what);
    }

  for (const sample& one : samples()) {
    const zstd_parameters chosen = parameters(3, 0);
    bytes work(stream_bound(&chosen));
    bytes packed(bound(one.data.size()) + 1024);
    void* context = stream_start(&chosen, 0, work.data(), work.size());
    result.that(context != nullptr, "no stream");
    if (result.failed())
      return result.done();
    zstd_buffer out{packed.data(), packed.size(), 0};
    for (std::size_t at = 0; at < one.data.size(); at += 10'000) {
      bytes piece(one.data.begin() + static_cast<std::ptrdiff_t>(at),
                  one.data.begin() +
                      static_cast<std::ptrdiff_t>(std::min(at + 10'000, one.data.size())));
      zstd_buffer in{piece.data(), piece.size(), 0};
      while (in.position < in.size && !ZSTD_isError(stream(context, &out, &in))) {
      }
    }
    result.equal(stream_end(context, &out), 0, "end of stream");
    expect_unpacked(result, packed, out.position, one, std::string("stream of ") + one.name);
  }
  return result.done();
}

} // namespace

std::span<const module_check> compression_checks() {
  static const std::vector<module_check> all{
      {"lz4_compress", {}, "liblz4 unpacks it", lz4_compress},
      {"lz4hc_compress", {}, "liblz4 unpacks it", lz4hc_compress},
      {"zstd_compress", {}, "libzstd unpacks it", zstd_compress},
  };
  return all;
}

} // namespace linux_like::checks
