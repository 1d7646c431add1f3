// SPDX-License-Identifier: MIT
// What becomes of a trap, on any machine.
#include "traps.hpp"
#include "console.hpp"
#include "machine.hpp"
#include "symbols.hpp"

extern "C" {
struct fixup_entry {
  kernel::u64 instruction, fixup;
};
extern fixup_entry const fixups_start[], fixups_end[];
}

namespace kernel::traps {

constinit module_fixup find_module_fixup = nullptr;
constinit fault_record last_fault;
constinit u64 last_reported = 0;

namespace {

constinit bool reporting = false;

bool on_stack(u64 address) {
  return address >= address_of(kernel_stack) && address + 8 <= address_of(kernel_stack_top);
}

// Code without frame pointers is common in modules: every word of the stack that names code is
// shown, with a '?' unless the chain of frame pointers leads to it.
void print_backtrace(trap_frame const& f) {
  u64 frame = f.frame_pointer();
  int lines = 0;
  for (u64 at = f.stack() & ~u64{7}; on_stack(at) && lines < 12; at += 8) {
    u64 word = *reinterpret_cast<u64 const*>(at);
    bool certain = at == frame + 8;
    if (certain)
      frame = *reinterpret_cast<u64 const*>(frame);
    symbol_info s;
    if (!find_symbol_at(word, s) || s.offset == 0)
      continue;
    print(certain ? "    " : "  ? ", s, '\n');
    ++lines;
  }
}

u64 fixup_of(u64 instruction) {
  for (auto const* e = fixups_start; e != fixups_end; ++e)
    if (e->instruction == instruction)
      return e->fixup;
  return find_module_fixup != nullptr ? find_module_fixup(instruction) : 0;
}

} // namespace

void put(fault_record const& r) {
  print(r.fetch   ? "fetch from "
        : r.write ? "write to "
                  : "read of ",
        r.other     ? ""
        : r.present ? "a present page at "
                    : "an absent page at ",
        hex(r.address, 16));
}

void handle(trap_frame& f, kind k) {
  if (u64 fixup = fixup_of(f.instruction()); fixup != 0 && k == kind::fault)
    return f.go_on_at(fixup);
  if (reporting) {
    print("a trap in the report of a trap\n");
    machine::leave(false);
  }
  reporting = true;
  last_reported = f.instruction();
  f.print_cause();
  print("\n  in ");
  print_symbol(f.instruction());
  print('\n');
  f.print_registers();
  print_backtrace(f);
  reporting = false;
  if (k == kind::breakpoint)
    return;
  if (recovery_stack != 0)
    return f.go_on_at(address_of(guarded_call_faulted), recovery_stack);
  print("the kernel cannot go on\n");
  machine::leave(false);
}

} // namespace kernel::traps
