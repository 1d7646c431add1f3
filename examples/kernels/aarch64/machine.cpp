// SPDX-License-Identifier: MIT
// The machine's part of common/machine.hpp; use_page_tables() is in boot.S.
#include "../common/machine.hpp"

namespace kernel::machine {

void tables_written() { asm volatile("dsb ishst; isb" ::: "memory"); }

// Arm ARM, "TLB maintenance instructions": the entry must be seen before, the end waited for.
void flush_page(u64 address) {
  asm volatile("dsb ishst; tlbi vaae1is, %0; dsb ish; isb" ::"r"(address << 8 >> 20) : "memory");
}

// Arm ARM, "Ordering of cache and branch predictor maintenance instructions": lines are as long as
// CTR_EL0 says, in words of 4 bytes.
void sync_instructions(u64 address, u64 size) {
  u64 type;
  asm volatile("mrs %0, ctr_el0" : "=r"(type));
  u64 data_line = u64{4} << (type >> 16 & 15), code_line = u64{4} << (type & 15);
  for (u64 at = address & ~(data_line - 1); at < address + size; at += data_line)
    asm volatile("dc cvau, %0" ::"r"(at) : "memory");
  asm volatile("dsb ish" ::: "memory");
  for (u64 at = address & ~(code_line - 1); at < address + size; at += code_line)
    asm volatile("ic ivau, %0" ::"r"(at) : "memory");
  asm volatile("dsb ish; isb" ::: "memory");
}

void disable_interrupts() { asm volatile("msr daifset, #2" ::: "memory"); }
void wait_for_interrupt() { asm volatile("wfi"); }

// Semihosting for AArch32 and AArch64, SYS_EXIT_EXTENDED: QEMU ends with this status.
void leave(bool passed) {
  constexpr u64 exit_extended = 0x20, application_exit = 0x20026;
  u64 const block[] = {application_exit, passed ? u64{33} : u64{35}};
  register u64 operation asm("x0") = exit_extended;
  register u64 const* parameters asm("x1") = block;
  asm volatile("hlt #0xf000" : "+r"(operation) : "r"(parameters) : "memory");
  for (;;)
    asm volatile("wfi");
}

} // namespace kernel::machine
