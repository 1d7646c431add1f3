// SPDX-License-Identifier: MIT
// What the process exports to kernel modules: names and values for a symbol resolver. The program
// must be linked without PIE: modules reach functions and data by 32-bit relocations (R_X86_64_32S,
// PC32) from the low 2 GiB.
#pragma once

#include <cstddef>
#include <span>

namespace linux_like {

/// One exported symbol. `address` is the symbol's value: an address in the low 2 GiB, or for the
/// few per-CPU variables an offset from the base of %gs. `name` and the entry itself are static.
struct host_export {
  const char* name;
  void* address;
  bool gpl;
};
static_assert(sizeof(host_export) == 24 && offsetof(host_export, gpl) == 16);

/// All exports, in no particular order.
std::span<const host_export> exports();

/// The value of one export, null if there is none (no export has the value 0).
void* find_export(const char* name);

} // namespace linux_like
