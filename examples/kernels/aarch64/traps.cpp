// SPDX-License-Identifier: MIT
// What the vectors lead to, and the first lines of reports. Arm ARM, "ESR_EL1, Exception Syndrome
// Register".
#include "../common/traps.hpp"
#include "../common/console.hpp"
#include "../common/machine.hpp"
#include "../common/symbols.hpp"
#include "timer.hpp"

extern "C" {
extern char const trap_vectors[];
void trap_entered(kernel::trap_frame* frame);
}

namespace kernel {
namespace traps {
namespace {

// Vectors of EL1 with its own stack pointer.
constexpr u64 synchronous = 4, irq = 5;

// Classes of synchronous exceptions, at the level that they come from.
constexpr u64 fetch_abort = 0x21, data_abort = 0x25, break_instruction = 0x3c;

// What modules of Linux reach through SP_EL0: the running task, with the stack protector's canary
// somewhere in its first page.
alignas(page_size) constinit u64 task[page_size / 8] = {};

char const* name_of(u64 vector, u64 kind) {
  if (vector != synchronous)
    return vector == 7 ? "system error" : "unexpected vector";
  switch (kind) {
  case 0: return "undefined instruction";
  case 0x0e: return "illegal execution state";
  case fetch_abort: return "instruction abort";
  case 0x22: return "misaligned instruction";
  case data_abort: return "data abort";
  case 0x26: return "misaligned stack";
  case break_instruction: return "break instruction";
  default: return "exception";
  }
}

constexpr u64 class_of(u64 esr) { return esr >> 26 & 0x3f; }

bool is_abort(trap_frame const& f) {
  return f.vector == synchronous &&
         (class_of(f.esr) == fetch_abort || class_of(f.esr) == data_abort);
}

// `brk #0`. With other immediates it is what must not be reached: 1000 is __builtin_trap of GCC, 1
// that of Clang, 0x800 Linux's BUG.
bool is_breakpoint(trap_frame const& f) {
  return f.vector == synchronous && class_of(f.esr) == break_instruction && (f.esr & 0xffff) == 0;
}

fault_record record_of(trap_frame const& f, u64 address) {
  u64 status = f.esr & 0x3c; // 0b0001xx: a translation fault, 0b0011xx: a permission fault
  bool fetch = class_of(f.esr) == fetch_abort;
  bool write = !fetch && (f.esr & 0x40) != 0; // WnR is defined for data alone
  return {address, f.elr, status == 0xc, write, fetch, status != 4 && status != 0xc};
}

} // namespace

void start() {
  asm volatile("msr vbar_el1, %0" ::"r"(trap_vectors));
  asm volatile("msr sp_el0, %0; isb" ::"r"(task));
}

} // namespace traps

void trap_frame::print_cause() const {
  print("trap ", vector, ": ", traps::name_of(vector, traps::class_of(esr)), ", syndrome ",
        hex(esr));
  if (traps::is_abort(*this))
    print(" (", traps::last_fault, ")");
}

void trap_frame::print_registers() const {
  print("  pc  ", hex(elr, 16), " sp  ", hex(sp, 16), " lr  ", hex(x[30], 16), " spsr ", hex(spsr));
  for (int i = 0; i < 30; ++i)
    print(i % 4 == 0 ? "\n  x" : " x", i, i < 10 ? "  " : " ", hex(x[i], 16));
  print("\n  ? ");
  print_symbol(x[30]);
  print('\n');
}

} // namespace kernel

void trap_entered(kernel::trap_frame* frame) {
  using namespace kernel;
  using namespace kernel::traps;
  if (frame->vector == irq)
    return timer::interrupt(frame->elr);
  bool is_break = is_breakpoint(*frame);
  if (is_abort(*frame)) {
    u64 address;
    asm volatile("mrs %0, far_el1" : "=r"(address));
    last_fault = record_of(*frame, address);
  }
  handle(*frame, frame->vector != synchronous ? kind::without_fixup
                 : is_break                   ? kind::breakpoint
                                              : kind::fault);
  if (is_break)
    frame->elr += 4; // it is the address of the instruction, not of the next
}
