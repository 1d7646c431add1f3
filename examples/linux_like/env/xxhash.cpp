// SPDX-License-Identifier: MIT
// XXH64, from its specification (doc/xxhash_spec.md of xxHash): Linux has it built in,
// zstd_compress and xxhash_generic import it.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

namespace {

using u8 = std::uint8_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

constexpr u64 prime1 = 0x9e3779b185ebca87, prime2 = 0xc2b2ae3d27d4eb4f, prime3 = 0x165667b19e3779f9,
              prime4 = 0x85ebca77c2b2ae63, prime5 = 0x27d4eb2f165667c5;

/// struct xxh64_state of Linux, in the caller's memory.
struct state {
  u64 total, lanes[4];
  u8 buffer[32];
  u32 buffered;
};
static_assert(sizeof(state) == 80);

template <class T>
T load(const u8* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

u64 round(u64 lane, u64 input) { return std::rotl(lane + input * prime2, 31) * prime1; }
u64 merge(u64 hash, u64 lane) { return (hash ^ round(0, lane)) * prime1 + prime4; }

void stripe(u64 (&lanes)[4], const u8* from) {
  for (std::size_t i = 0; i < 4; ++i)
    lanes[i] = round(lanes[i], load<u64>(from + 8 * i));
}

void start(state& self, u64 seed) {
  self = {};
  self.lanes[0] = seed + prime1 + prime2;
  self.lanes[1] = seed + prime2;
  self.lanes[2] = seed;
  self.lanes[3] = seed - prime1;
}

void add(state& self, const u8* from, std::size_t count) {
  self.total += count;
  while (count != 0) {
    const std::size_t step = std::min<std::size_t>(count, 32 - self.buffered);
    std::memcpy(self.buffer + self.buffered, from, step);
    self.buffered += static_cast<u32>(step);
    from += step;
    count -= step;
    if (self.buffered == 32) {
      stripe(self.lanes, self.buffer);
      self.buffered = 0;
    }
  }
}

u64 finish(const state& self) {
  u64 hash = self.lanes[2] + prime5; // lane 2 is still the seed where no stripe was full
  if (self.total >= 32) {
    hash = std::rotl(self.lanes[0], 1) + std::rotl(self.lanes[1], 7) +
           std::rotl(self.lanes[2], 12) + std::rotl(self.lanes[3], 18);
    for (const u64 lane : self.lanes)
      hash = merge(hash, lane);
  }
  hash += self.total;
  std::size_t at = 0;
  for (; at + 8 <= self.buffered; at += 8)
    hash = std::rotl(hash ^ round(0, load<u64>(self.buffer + at)), 27) * prime1 + prime4;
  for (; at + 4 <= self.buffered; at += 4)
    hash = std::rotl(hash ^ load<u32>(self.buffer + at) * prime1, 23) * prime2 + prime3;
  for (; at < self.buffered; ++at)
    hash = std::rotl(hash ^ self.buffer[at] * prime5, 11) * prime1;
  hash = (hash ^ (hash >> 33)) * prime2;
  hash = (hash ^ (hash >> 29)) * prime3;
  return hash ^ (hash >> 32);
}

} // namespace

extern "C" {

void host_xxh64_reset(state* self, u64 seed) { start(*self, seed); }
int host_xxh64_update(state* self, const void* from, std::size_t count) {
  add(*self, static_cast<const u8*>(from), count);
  return 0;
}
u64 host_xxh64_digest(const state* self) { return finish(*self); }
void host_xxh64_copy_state(state* to, const state* from) { *to = *from; }
u64 host_xxh64(const void* from, std::size_t count, u64 seed) {
  state self;
  start(self, seed);
  add(self, static_cast<const u8*>(from), count);
  return finish(self);
}

} // extern "C"
