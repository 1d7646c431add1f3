// SPDX-License-Identifier: MIT
// The table itself is made by host_table.S from functions.inc; this gives it to C++.
#include "exports.hpp"

#include <cstring>

extern "C" const linux_like::host_export host_export_table[];
extern "C" const linux_like::host_export host_export_table_end[];

namespace linux_like {

std::span<const host_export> exports() { return {host_export_table, host_export_table_end}; }

void* find_export(const char* name) {
  for (const host_export& entry : exports())
    if (std::strcmp(entry.name, name) == 0)
      return entry.address;
  return nullptr;
}

} // namespace linux_like
