// SPDX-License-Identifier: MIT
// The few x86 instructions that C++ has no words for, and what the linker script defines.
#pragma once

#include "../common/types.hpp"

extern "C" {
extern char text_start[], text_end[], rodata_start[], data_start[], kernel_end[];
extern char kernel_stack_guard[], kernel_stack[], kernel_stack_top[];
extern char fault_stack_guard[], fault_stack_top[];
}

namespace kernel {

/// The kernel is linked at its physical address plus this.
inline constexpr u64 kernel_base = 0xffffffff80000000;

template <class T>
u64 address_of(T const* p) {
  return reinterpret_cast<u64>(p);
}

namespace machine {

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
inline void write_cr3(u64 table) { asm volatile("movq %0, %%cr3" ::"r"(table) : "memory"); }
inline void flush_page(u64 address) { asm volatile("invlpg (%0)" ::"r"(address) : "memory"); }

inline void write_msr(u32 msr, u64 value) {
  asm volatile("wrmsr" ::"c"(msr), "a"(static_cast<u32>(value)), "d"(static_cast<u32>(value >> 32))
               : "memory");
}

inline void enable_interrupts() { asm volatile("sti" ::: "memory"); }
inline void disable_interrupts() { asm volatile("cli" ::: "memory"); }

/// Ends QEMU through isa-debug-exit; its status becomes 2 * code + 1.
[[noreturn]] inline void leave(u8 code) {
  out8(0xf4, code);
  for (;;)
    asm volatile("cli; hlt");
}
inline constexpr u8 leave_passed = 0x10;
inline constexpr u8 leave_failed = 0x11;

} // namespace machine
} // namespace kernel
