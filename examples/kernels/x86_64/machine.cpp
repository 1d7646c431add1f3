// SPDX-License-Identifier: MIT
// The machine's part of common/machine.hpp.
#include "../common/machine.hpp"
#include "instructions.hpp"

namespace kernel::machine {

void use_page_tables(u64 root) { asm volatile("movq %0, %%cr3" ::"r"(root) : "memory"); }

// What is not present is not cached, and what the processor has stored it fetches.
void tables_written() {}
void sync_instructions(u64, u64) {}

void flush_page(u64 address) { asm volatile("invlpg (%0)" ::"r"(address) : "memory"); }

void disable_interrupts() { asm volatile("cli" ::: "memory"); }
void wait_for_interrupt() { asm volatile("hlt"); }

// isa-debug-exit makes the status 2 * code + 1: 33 or 35.
void leave(bool passed) {
  out8(0xf4, passed ? 16 : 17);
  for (;;)
    asm volatile("cli; hlt");
}

} // namespace kernel::machine
