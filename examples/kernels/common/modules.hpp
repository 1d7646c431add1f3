// SPDX-License-Identifier: MIT
// The part of the script that deals with modules.
#pragma once

#include "script.hpp"
#include "types.hpp"

namespace kernel {

/// Goes through the files of `archive` (cpio, newc): loads the modules and checks what they do.
void load_from_initrd(bytes archive, script& checks);

} // namespace kernel
