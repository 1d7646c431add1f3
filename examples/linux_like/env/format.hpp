// SPDX-License-Identifier: MIT
// The kernel's printf format.
#pragma once

#include <cstdarg>
#include <string>

namespace linux_like {

/// Formats as vsnprintf of the kernel does: integers, strings, characters and the %p extensions
/// that modules of computation print (%pV, %ph, %pM, %pI4, %pU, %pe; others as an address). No
/// floating point, as there.
std::string format_kernel(const char* format, std::va_list arguments);

} // namespace linux_like
