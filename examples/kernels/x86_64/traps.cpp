// SPDX-License-Identifier: MIT
// Vector table, trap reports, timer. Intel SDM volume 3, chapters 6 and 7.
#include "../common/traps.hpp"
#include "../common/console.hpp"
#include "../common/machine.hpp"
#include "instructions.hpp"

extern "C" {
extern char const trap_stubs[];
void trap_entered(kernel::trap_frame* frame);
}

namespace kernel {
namespace traps {

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
constinit timer_reader reader = nullptr;

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

void set_gate(u64 vector, u64 handler, u64 fault_stack) {
  constexpr u64 interrupt_gate = u64{0x8e} << 40;
  gates[vector] = {(handler & 0xffff) | u64{code_segment} << 16 | fault_stack << 32 |
                       interrupt_gate | (handler >> 16 & 0xffff) << 48,
                   handler >> 32};
}

void interrupt(trap_frame const& f) {
  if (f.vector == first_irq && reader != nullptr)
    reader(f.rip);
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

void start_timer(u32 hertz, timer_reader wanted) {
  using machine::out8;
  constexpr u32 crystal = 1193182;
  u32 divisor = crystal / hertz;
  reader = wanted;
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

void trap_frame::print_cause() const {
  print("trap ", vector, ": ", traps::name_of(vector), ", error code ", hex(error));
  if (vector == traps::page_fault)
    print(" (", traps::last_fault, ")");
}

void trap_frame::print_registers() const {
  print("  rip ", hex(rip, 16), " rsp ", hex(rsp, 16), " rbp ", hex(rbp, 16), " flags ", hex(flags),
        '\n');
  print("  rax ", hex(rax, 16), " rbx ", hex(rbx, 16), " rcx ", hex(rcx, 16), " rdx ", hex(rdx, 16),
        '\n');
  print("  rsi ", hex(rsi, 16), " rdi ", hex(rdi, 16), " r8  ", hex(r8, 16), " r9  ", hex(r9, 16),
        '\n');
  print("  r10 ", hex(r10, 16), " r11 ", hex(r11, 16), " r12 ", hex(r12, 16), " r13 ", hex(r13, 16),
        '\n');
}

} // namespace kernel

void trap_entered(kernel::trap_frame* frame) {
  using namespace kernel;
  using namespace kernel::traps;
  if (frame->vector >= first_irq)
    return interrupt(*frame);
  if (frame->vector == page_fault) {
    u64 e = frame->error; // bit 0: page present, 1: write, 4: instruction fetch
    last_fault = {machine::read_cr2(), frame->rip, (e & 1) != 0, (e & 2) != 0, (e & 16) != 0};
  }
  handle(*frame, frame->vector == double_fault ? kind::without_fixup
                 : frame->vector == breakpoint ? kind::breakpoint
                                               : kind::fault);
}
