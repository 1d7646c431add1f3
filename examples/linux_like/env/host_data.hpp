// SPDX-License-Identifier: MIT
// Exported objects that more than one file of the environment touches. Sizes and offsets:
// Linux 6.1, x86_64, Debian's configuration.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {
extern volatile std::uint64_t host_data_jiffies;
extern std::uint64_t host_data___per_cpu_offset[8192];
/// struct cpuinfo_x86; the capability words begin at `capability_offset`.
extern std::byte host_data_boot_cpu_data[512];
}

namespace linux_like {
inline constexpr std::size_t capability_offset = 0x28;
} // namespace linux_like
