// SPDX-License-Identifier: MIT
// Integer names and the string type that the example kernels share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace kernel {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i64 = std::int64_t;

using text = std::string_view;
using bytes = std::span<std::byte const>;

inline constexpr u64 page_size = 4096;

constexpr u64 page_floor(u64 n) { return n & ~(page_size - 1); }
constexpr u64 page_ceil(u64 n) { return page_floor(n + (page_size - 1)); }
constexpr u64 pages_for(u64 size) { return page_ceil(size) / page_size; }

/// What a mapping allows besides reading.
struct rights {
  bool write = false;
  bool execute = false;
  bool device = false; ///< registers, not memory: every access reaches them
};
inline constexpr rights read_only{};
inline constexpr rights read_write{true, false};
inline constexpr rights read_execute{false, true};
inline constexpr rights device_registers{true, false, true};

} // namespace kernel
