// SPDX-License-Identifier: MIT
// What lies in a kernel's file.
#pragma once

#include "../module_file.hpp"

namespace linux_like {

/// The kernel in a vmlinuz: the payload of an x86 image (boot protocol 2.08 or later), or a whole
/// file that is compressed, unpacked by xz, zstd or gzip; anything else as it is. Throws refusal as
/// read_module_file.
byte_vector read_kernel_image(const std::filesystem::path& file);

} // namespace linux_like
