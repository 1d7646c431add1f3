// SPDX-License-Identifier: MIT
// Exceptions: a report with registers and a backtrace, and the two ways to survive one.
#pragma once

#include "../common/types.hpp"

namespace kernel {

struct trap_frame {
  u64 r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
  u64 vector, error;
  u64 rip, cs, flags, rsp, ss;
};

namespace traps {

/// Loads segments, task state (a stack of its own for double faults) and the vector table.
void start();

/// Looks a faulting instruction of a module up in its exception table; 0 if it has no fixup.
using module_fixup = u64 (*)(u64 instruction);
extern module_fixup find_module_fixup;

/// What the last page fault was; for scripts that provoke one.
struct fault_record {
  u64 address = 0;
  u64 instruction = 0;
  u64 error = 0; ///< bit 0: page present, 1: write, 4: instruction fetch

  bool write_refused() const { return (error & 3) == 3; }
  bool fetch_refused() const { return (error & 0x11) == 0x11; }
};
extern fault_record last_fault;

/// Starts the periodic timer and calls `reader` from its interrupt, at any instruction.
void start_timer(u32 hertz, void (*reader)(trap_frame const&));
void stop_timer();
extern u64 timer_ticks;

} // namespace traps

enum class probe_result : u32 { written, unreadable, write_faulted };

struct call_outcome {
  u64 value;
  u64 faulted;
};

extern "C" {
/// Tries to write one byte (the one that is there already) at `address`.
probe_result probe_write(u64 address);
/// Calls function(argument); a fault in it is reported and returns here.
call_outcome guarded_call(u64 function, u64 argument);
}

} // namespace kernel
