// SPDX-License-Identifier: MIT
// What the boot loader tells the kernel.
#pragma once

#include "types.hpp"

namespace kernel {

struct boot_info {
  struct range {
    u64 first, last; ///< physical, the end excluded
  };
  static constexpr u64 max_ranges = 16;

  range usable[max_ranges] = {};
  u64 usable_count = 0;
  range devices[max_ranges] = {}; ///< registers to be mapped with all memory
  u64 device_count = 0;
  range initrd{};

  /// Reads what lies at physical address `start_info` while low memory is still mapped. False if it
  /// is not what this machine's boot loader leaves, or has no memory map. Each machine supplies it.
  bool read(u64 start_info);
};

} // namespace kernel
