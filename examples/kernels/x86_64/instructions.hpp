// SPDX-License-Identifier: MIT
// The few x86 instructions that C++ has no words for.
#pragma once

#include "../common/types.hpp"

namespace kernel::machine {

inline void out8(u16 port, u8 value) { asm volatile("outb %0, %1" ::"a"(value), "Nd"(port)); }
inline u8 in8(u16 port) {
  u8 value;
  asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

inline u64 read_cr2() {
  u64 value;
  asm volatile("movq %%cr2, %0" : "=r"(value));
  return value;
}

inline void write_msr(u32 msr, u64 value) {
  asm volatile("wrmsr" ::"c"(msr), "a"(static_cast<u32>(value)), "d"(static_cast<u32>(value >> 32))
               : "memory");
}

inline void enable_interrupts() { asm volatile("sti" ::: "memory"); }

} // namespace kernel::machine
