// SPDX-License-Identifier: MIT
// Where things lie on aarch64.
#pragma once

namespace kernel::machine {

inline constexpr char name[] = "aarch64";

/// The kernel is linked at its physical address plus this; at first that maps the first 2 GiB.
inline constexpr u64 kernel_base = 0xffff800000000000;
/// 30 MiB above the kernel. From its first 96 MiB, which are given first, a branch reaches the
/// kernel (128 MiB); from the rest calls go through the module's PLT.
inline constexpr u64 module_window = kernel_base + 0x42000000;
inline constexpr u64 module_window_size = u64{256} << 20;
inline constexpr u64 far_modules = u64{192} << 20; ///< an offset that is surely far

inline constexpr u8 add_seven[] = {0x00, 0x1c, 0x00, 0x91,  // add x0, x0, #7
                                   0xc0, 0x03, 0x5f, 0xd6}; // ret

} // namespace kernel::machine
