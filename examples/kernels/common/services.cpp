// SPDX-License-Identifier: MIT
// Functions of Linux that modules import, as far as this kernel has them.
#include "console.hpp"
#include "heap.hpp"
#include "machine.hpp"

extern "C" {

int _printk(char const* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  int printed = kernel::print_format(format, arguments);
  va_end(arguments);
  return printed;
}

void* __kmalloc(kernel::u64 size, unsigned) { return kernel::kernel_heap.allocate(size); }
void kfree(void const* memory) { kernel::kernel_heap.release(const_cast<void*>(memory)); }

[[noreturn]] void __stack_chk_fail() {
  kernel::print("a module overwrote its stack\n");
  kernel::machine::leave(false);
}
}
