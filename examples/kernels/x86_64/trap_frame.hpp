// SPDX-License-Identifier: MIT
// What traps.S saves, and what a trap's report needs to know of it.
#pragma once

namespace kernel {

struct trap_frame {
  u64 r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
  u64 vector, error;
  u64 rip, cs, flags, rsp, ss;

  u64 instruction() const { return rip; }
  u64 stack() const { return rsp; }
  u64 frame_pointer() const { return rbp; }
  void go_on_at(u64 where) { rip = where; }
  void go_on_at(u64 where, u64 stack) { rip = where, rsp = stack; }

  /// The report's first line and its registers.
  void print_cause() const;
  void print_registers() const;
};

} // namespace kernel
