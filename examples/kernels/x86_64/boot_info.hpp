// SPDX-License-Identifier: MIT
// What the boot loader tells the kernel: memory map and initrd, from PVH's hvm_start_info.
#pragma once

#include "../common/types.hpp"

namespace kernel {

struct boot_info {
  struct range {
    u64 first, last; ///< physical, the end excluded
  };
  static constexpr u64 max_ranges = 16;

  range usable[max_ranges] = {};
  u64 usable_count = 0;
  range initrd{};

  /// Reads the structure at physical address `start_info` while low memory is still mapped. False
  /// if it is not PVH's, or has no memory map.
  bool read(u64 start_info);
};

} // namespace kernel
