// SPDX-License-Identifier: MIT
// Where things lie on x86_64.
#pragma once

namespace kernel::machine {

inline constexpr char name[] = "x86_64";

/// The kernel is linked at its physical address plus this; at first that maps the first GiB.
inline constexpr u64 kernel_base = 0xffffffff80000000;
/// Close enough to the kernel for its 32-bit relocations.
inline constexpr u64 module_window = 0xffffffffa0000000;
inline constexpr u64 module_window_size = u64{64} << 20;
inline constexpr u64 far_modules = 0; ///< 0: everything is within reach

inline constexpr u8 add_seven[] = {0x48, 0x8d, 0x47, 0x07, 0xc3}; ///< lea 7(%rdi),%rax; ret

} // namespace kernel::machine
