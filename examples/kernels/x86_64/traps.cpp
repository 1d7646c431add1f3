// SPDX-License-Identifier: MIT
// Vector table, trap reports, timer. Intel SDM volume 3, chapters 6 and 7.
#include "traps.hpp"
#include "../common/console.hpp"
#include "../common/symbols.hpp"
#include "machine.hpp"

extern "C" {
extern char const trap_stubs[];
extern char const guarded_call_faulted[];
extern kernel::u64 recovery_stack;
struct fixup_entry {
  kernel::u64 instruction, fixup;
};
extern fixup_entry const fixups_start[], fixups_end[];
void trap_entered(kernel::trap_frame* frame);
}

namespace kernel {
namespace traps {

constinit module_fixup find_module_fixup = nullptr;
constinit fault_record last_fault;
constinit u64 timer_ticks = 0;

namespace {

constexpr u64 breakpoint = 3, double_fault = 8, page_fault = 14;
constexpr u64 first_irq = 32;
constexpr u16 code_segment = 8, task_segment = 24;

struct [[gnu::packed]] table_pointer {
  u16 limit;
  u64 base;
};
struct gate {
  u64 low, high;
};
struct [[gnu::packed]] task_state {
  u32 reserved0;
  u64 stacks[3];
  u64 reserved1;
  u64 fault_stacks[7];
  u64 reserved2;
  u16 reserved3, io_map;
};

constinit gate gates[48] = {};
constinit task_state task = {};
constinit u64 segments[5] = {0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0, 0};
using timer_hook = void (*)(trap_frame const&);
constinit timer_hook timer_reader = nullptr;
constinit bool reporting = false;

// What modules of Linux reach through %gs: the stack protector's canary at offset 40.
alignas(page_size) constinit u64 gs_area[page_size / 8] = {0, 0, 0, 0, 0, 0x5bd1e995c0ffee00};

char const* name_of(u64 vector) {
  switch (vector) {
  case 0: return "divide error";
  case breakpoint: return "breakpoint";
  case 6: return "invalid opcode";
  case double_fault: return "double fault";
  case 13: return "general protection fault";
  case page_fault: return "page fault";
  default: return "exception";
  }
}

bool on_stack(u64 address) {
  return address >= address_of(kernel_stack) && address + 8 <= address_of(kernel_stack_top);
}

// Code without frame pointers is common in modules: every word of the stack that names code is
// shown, with a '?' unless the chain of frame pointers leads to it.
void print_backtrace(trap_frame const& f) {
  u64 frame = f.rbp;
  int lines = 0;
  for (u64 at = f.rsp & ~u64{7}; on_stack(at) && lines < 12; at += 8) {
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

void print_report(trap_frame const& f) {
  print("trap ", f.vector, ": ", name_of(f.vector), ", error code ", hex(f.error));
  if (f.vector == page_fault) {
    print(" (",
          (f.error & 16) != 0  ? "fetch from "
          : (f.error & 2) != 0 ? "write to "
                               : "read of ",
          (f.error & 1) != 0 ? "a present page" : "an absent page", ") at ",
          hex(last_fault.address, 16));
  }
  print("\n  in ");
  print_symbol(f.rip);
  print("\n  rip ", hex(f.rip, 16), " rsp ", hex(f.rsp, 16), " rbp ", hex(f.rbp, 16), " flags ",
        hex(f.flags), '\n');
  print("  rax ", hex(f.rax, 16), " rbx ", hex(f.rbx, 16), " rcx ", hex(f.rcx, 16), " rdx ",
        hex(f.rdx, 16), '\n');
  print("  rsi ", hex(f.rsi, 16), " rdi ", hex(f.rdi, 16), " r8  ", hex(f.r8, 16), " r9  ",
        hex(f.r9, 16), '\n');
  print("  r10 ", hex(f.r10, 16), " r11 ", hex(f.r11, 16), " r12 ", hex(f.r12, 16), " r13 ",
        hex(f.r13, 16), '\n');
  print_backtrace(f);
}

u64 fixup_of(u64 instruction) {
  for (auto const* e = fixups_start; e != fixups_end; ++e)
    if (e->instruction == instruction)
      return e->fixup;
  return find_module_fixup != nullptr ? find_module_fixup(instruction) : 0;
}

void set_gate(u64 vector, u64 handler, u64 fault_stack) {
  constexpr u64 interrupt_gate = u64{0x8e} << 40;
  gates[vector] = {(handler & 0xffff) | u64{code_segment} << 16 | fault_stack << 32 |
                       interrupt_gate | (handler >> 16 & 0xffff) << 48,
                   handler >> 32};
}

void interrupt(trap_frame const& f) {
  if (f.vector == first_irq) {
    ++timer_ticks;
    if (timer_reader != nullptr)
      timer_reader(f);
  }
  machine::out8(0x20, 0x20);
}

} // namespace

void start() {
  for (u64 v = 0; v < 48; ++v)
    set_gate(v, address_of(trap_stubs) + v * 16, v == double_fault ? 1 : 0);
  task.fault_stacks[0] = address_of(fault_stack_top);
  task.io_map = sizeof task;
  u64 base = address_of(&task);
  segments[3] =
      (sizeof task - 1) | (base & 0xffffff) << 16 | u64{0x89} << 40 | (base >> 24 & 0xff) << 56;
  segments[4] = base >> 32;
  table_pointer gdt{sizeof segments - 1, address_of(segments)};
  table_pointer idt{sizeof gates - 1, address_of(gates)};
  asm volatile("lgdt %0" ::"m"(gdt));
  asm volatile("ltr %0" ::"r"(task_segment));
  asm volatile("lidt %0" ::"m"(idt));
  constexpr u32 gs_base = 0xc0000101;
  machine::write_msr(gs_base, address_of(gs_area));
}

void start_timer(u32 hertz, void (*reader)(trap_frame const&)) {
  using machine::out8;
  constexpr u32 crystal = 1193182;
  u32 divisor = crystal / hertz;
  timer_reader = reader;
  for (u16 pic : {u16{0x20}, u16{0xa0}}) {
    bool primary = pic == 0x20;
    out8(pic, 0x11);
    out8(static_cast<u16>(pic + 1), static_cast<u8>(primary ? first_irq : first_irq + 8));
    out8(static_cast<u16>(pic + 1), primary ? 4 : 2);
    out8(static_cast<u16>(pic + 1), 1);
    out8(static_cast<u16>(pic + 1), primary ? 0xfe : 0xff);
  }
  out8(0x43, 0x34);
  out8(0x40, static_cast<u8>(divisor));
  out8(0x40, static_cast<u8>(divisor >> 8));
  machine::enable_interrupts();
}

void stop_timer() { machine::disable_interrupts(); }

} // namespace traps
} // namespace kernel

void trap_entered(kernel::trap_frame* frame) {
  using namespace kernel;
  using namespace kernel::traps;
  if (frame->vector >= first_irq)
    return interrupt(*frame);
  if (frame->vector == page_fault)
    last_fault = {machine::read_cr2(), frame->rip, frame->error};
  if (u64 fixup = fixup_of(frame->rip); fixup != 0 && frame->vector != double_fault) {
    frame->rip = fixup;
    return;
  }
  if (reporting) {
    print("a trap in the report of a trap\n");
    machine::leave(machine::leave_failed);
  }
  reporting = true;
  print_report(*frame);
  reporting = false;
  if (frame->vector == breakpoint)
    return;
  if (recovery_stack != 0) {
    frame->rip = address_of(guarded_call_faulted);
    frame->rsp = recovery_stack;
    return;
  }
  print("the kernel cannot go on\n");
  machine::leave(machine::leave_failed);
}
