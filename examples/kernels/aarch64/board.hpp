// SPDX-License-Identifier: MIT
// Where the devices are that the kernel drives: physical addresses, from the device tree. QEMU's
// documentation of the virt board promises only where memory starts.
#pragma once

#include "../common/paging.hpp"

namespace kernel {

struct board_devices {
  u64 console = 0;     ///< PL011
  u64 distributor = 0; ///< GICv2
  u64 cpu_interface = 0;
};
extern board_devices board;

/// A register of a device.
inline u32 volatile& device_register(u64 device, u64 offset) {
  return *reinterpret_cast<u32 volatile*>(paging::direct(device + offset));
}

} // namespace kernel
