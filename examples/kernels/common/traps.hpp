// SPDX-License-Identifier: MIT
// Exceptions: a report with registers and a backtrace, and the two ways to survive one.
#pragma once

#include "types.hpp"
#include <trap_frame.hpp>

namespace kernel {
namespace traps {

/// Makes the machine take traps; each machine supplies it.
void start();

/// What to do about an exception, for the machine's entry: a fixup of the kernel or of a module, or
/// a report and the end of the guarded call; without one, the end of the kernel. A breakpoint is
/// reported and returns.
enum class kind { fault, breakpoint, without_fixup };
void handle(trap_frame& f, kind k);
extern u64 last_reported; ///< the instruction that the last report was about

/// Looks a faulting instruction of a module up in its exception table; 0 if it has no fixup.
using module_fixup = u64 (*)(u64 instruction);
extern module_fixup find_module_fixup;

/// What the last page fault was, recorded by the machine's entry; for scripts that provoke one.
struct fault_record {
  u64 address = 0;
  u64 instruction = 0;
  bool present = false; ///< the page was there
  bool write = false;
  bool fetch = false;
  bool other =
      false; ///< neither for want of the page nor of a right to it: misaligned, for example

  bool write_refused() const { return present && write; }
  bool fetch_refused() const { return present && fetch; }
};
extern fault_record last_fault;
/// `write to a present page at 0000000000000008`, or the like.
void put(fault_record const& r);

/// Starts the periodic timer and calls `reader` from its interrupt with the address that was
/// interrupted, which may be any. Each machine supplies both.
using timer_reader = void (*)(u64 instruction);
void start_timer(u32 hertz, timer_reader reader);
void stop_timer();

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
