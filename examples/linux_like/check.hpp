// SPDX-License-Identifier: MIT
// Parts of the command `check`.
#pragma once

#include "findings.hpp"
#include "host.hpp"
#include "module_file.hpp"

namespace linux_like {

/// Every symbol wanted: is it exported, to this module, with this CRC, in a namespace it imports?
void check_symbols(host& self, const module_view& view, findings& out);

/// Layout, memory and every relocation.
void check_relocations(host& self, kmodld::byte_view bytes, findings& out);

/// The exports most like `name`, nearest first, three at most, and only if they are alike at all.
std::vector<std::string> nearest_exports(host& self, std::string_view name);

} // namespace linux_like
