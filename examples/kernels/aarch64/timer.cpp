// SPDX-License-Identifier: MIT
// The generic timer (Arm ARM, "The Generic Timer in AArch64 state") behind a GICv2 (Arm IHI 0048).
#include "timer.hpp"
#include "../common/machine.hpp"
#include "../common/traps.hpp"
#include "board.hpp"

namespace kernel {
namespace {

constexpr u32 virtual_timer = 27; // PPI 11
constexpr u32 nothing = 1023;     // what was pending is gone
constexpr u64 set_enable = 0x100; // of the distributor
constexpr u64 control = 0;        // of both
constexpr u64 priority_mask = 4, acknowledge = 0xc, end_of_interrupt = 0x10;

constinit u64 interval = 0; // in ticks of the counter
constinit traps::timer_reader reader = nullptr;

void wait_for_ticks(u64 ticks) { asm volatile("msr cntv_tval_el0, %0; isb" ::"r"(ticks)); }
void enable(u64 on) { asm volatile("msr cntv_ctl_el0, %0; isb" ::"r"(on)); }

} // namespace

void timer::interrupt(u64 instruction) {
  u32 id = device_register(board.cpu_interface, acknowledge);
  if ((id & 0x3ff) == nothing)
    return;
  if ((id & 0x3ff) == virtual_timer) {
    wait_for_ticks(interval); // takes the level away
    if (reader != nullptr)
      reader(instruction);
  }
  device_register(board.cpu_interface, end_of_interrupt) = id;
}

void traps::start_timer(u32 hertz, timer_reader wanted) {
  u64 frequency;
  asm volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
  interval = frequency / hertz;
  reader = wanted;
  device_register(board.distributor, set_enable) = u32{1} << virtual_timer;
  device_register(board.distributor, control) = 1;
  device_register(board.cpu_interface, priority_mask) = 0xff;
  device_register(board.cpu_interface, control) = 1;
  wait_for_ticks(interval);
  enable(1);
  asm volatile("msr daifclr, #2" ::: "memory");
}

void traps::stop_timer() {
  machine::disable_interrupts();
  enable(0);
}

} // namespace kernel
