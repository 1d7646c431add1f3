// SPDX-License-Identifier: MIT
// Looks addresses up in the kernel's symbol table (see ksyms.sh).
#include "symbols.hpp"
#include "console.hpp"
#include "string.hpp"

extern "C" {
struct kernel_symbol_entry {
  kernel::u64 address;
  char const* name;
};
// The first link has an empty table, hence weak.
[[gnu::weak]] extern kernel_symbol_entry const kernel_symbol_table[];
[[gnu::weak]] extern kernel::u64 const kernel_symbol_count;
extern char const text_start[], text_end[];
}

namespace kernel {

constinit module_symboliser module_symbols = nullptr;

bool find_symbol_at(u64 address, symbol_info& out) {
  u64 end = reinterpret_cast<u64>(text_end);
  if (address < reinterpret_cast<u64>(text_start) || address >= end)
    return module_symbols != nullptr && module_symbols(address, out);
  if (&kernel_symbol_count == nullptr || kernel_symbol_count == 0)
    return false;
  u64 low = 0, high = kernel_symbol_count;
  while (high - low > 1) {
    u64 middle = (low + high) / 2;
    (kernel_symbol_table[middle].address <= address ? low : high) = middle;
  }
  kernel_symbol_entry const& e = kernel_symbol_table[low];
  if (address < e.address)
    return false;
  u64 next = low + 1 < kernel_symbol_count ? kernel_symbol_table[low + 1].address : end;
  out = {view_of(e.name), address - e.address, next - e.address, {}};
  return true;
}

u64 kernel_symbol(text name) {
  if (&kernel_symbol_count != nullptr)
    for (u64 i = 0; i < kernel_symbol_count; ++i)
      if (same(view_of(kernel_symbol_table[i].name), name))
        return kernel_symbol_table[i].address;
  return 0;
}

void put(symbol_info const& s) {
  print(s.name, "+0x", hex(s.offset), "/0x", hex(s.size));
  if (!s.module.empty())
    print(" [", s.module, "]");
}

void print_symbol(u64 address) {
  symbol_info s;
  if (find_symbol_at(address, s))
    put(s);
  else
    print("0x", hex(address, 16));
}

} // namespace kernel
