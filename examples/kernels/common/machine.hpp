// SPDX-License-Identifier: MIT
// What a machine supplies: everything here, and put_char (console.hpp), boot_info::read
// (boot_info.hpp), the entry of traps with start() and the timer (traps.hpp), and the call of
// kernel_main with what boot_info::read wants. Its folder has, beside .cpp, .S and link.ld, four
// headers that files of common/ include:
//   layout.hpp           where things lie, as constants
//   page_entry.hpp       the bits of a page table's entry
//   trap_frame.hpp       registers that a trap saves
//   modules_machine.hpp  what modules_glue.hpp needs to know about the architecture
#pragma once

#include "types.hpp"
#include <layout.hpp>

extern "C" {
// link.ld: the kernel's parts, each on pages of its own.
extern char text_start[], text_end[], rodata_start[], data_start[], kernel_end[];
// Two stacks above guard pages. The second is for traps for which the first has no room.
extern char kernel_stack_guard[], kernel_stack[], kernel_stack_top[];
extern char fault_stack_guard[], fault_stack_top[];
// Where guarded_call goes on after a fault, with the stack that recovery_stack says (0: none).
extern char const guarded_call_faulted[];
extern kernel::u64 recovery_stack;
}

namespace kernel {

template <class T>
u64 address_of(T const* p) {
  return reinterpret_cast<u64>(p);
}

namespace machine {

/// Switches to the page tables whose root is the frame `root`; nothing low is mapped afterwards.
extern "C" void use_page_tables(u64 root);
/// To be called when a table that will be used, or an entry that was not present, has been written.
void tables_written();
/// To be called when an entry that was present has been changed or cleared.
void flush_page(u64 address);
/// Makes instructions that were written as data visible to execution.
void sync_instructions(u64 address, u64 size);

void disable_interrupts();
void wait_for_interrupt();

/// Ends QEMU with a status that run.sh knows.
[[noreturn]] void leave(bool passed);

} // namespace machine
} // namespace kernel
