// SPDX-License-Identifier: MIT
// Names for code addresses: the kernel's own functions from a table that the second link adds, and
// a hook through which a module loader answers for its modules.
#pragma once

#include "types.hpp"

namespace kernel {

struct symbol_info {
  text name;
  u64 offset = 0;
  u64 size = 0;
  text module; ///< empty: the kernel itself
};

/// Answers for addresses outside the kernel. Called from traps: takes no lock, allocates nothing.
using module_symboliser = bool (*)(u64 address, symbol_info& out);
extern module_symboliser module_symbols;

/// False if nobody knows the address.
bool find_symbol_at(u64 address, symbol_info& out);
/// The address of a function of the kernel; 0 if there is none of that name.
u64 kernel_symbol(text name);
/// Prints `symbol+0x12/0x40 [module]`, or the bare address.
void put(symbol_info const& s);
void print_symbol(u64 address);

} // namespace kernel
