// SPDX-License-Identifier: MIT
// Decodes one LZ4 block (lz4 Block Format), to check what a compressor module made.
#pragma once

#include "types.hpp"

namespace kernel {

/// The number of bytes written to `out`; 0 if the block is broken or does not fit.
inline u64 lz4_decode(bytes in, std::span<std::byte> out) {
  u64 at = 0, made = 0;
  auto byte = [&]() -> u64 { return at < in.size() ? static_cast<u64>(in[at++]) : 0; };
  auto length = [&](u64 start) {
    for (u64 more = start == 15 ? 255 : 0; more == 255 && at < in.size();)
      start += more = byte();
    return start;
  };
  while (at < in.size()) {
    u64 token = byte();
    u64 literals = length(token >> 4);
    if (literals > in.size() - at || literals > out.size() - made)
      return 0;
    for (; literals != 0; --literals)
      out[made++] = in[at++];
    if (at == in.size())
      return made; // the last sequence has no match
    u64 distance = byte();
    distance |= byte() << 8;
    u64 match = length(token & 15) + 4;
    if (distance == 0 || distance > made || match > out.size() - made)
      return 0;
    for (; match != 0; --match, ++made)
      out[made] = out[made - distance];
  }
  return 0;
}

} // namespace kernel
