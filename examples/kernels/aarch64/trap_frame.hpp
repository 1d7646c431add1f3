// SPDX-License-Identifier: MIT
// What traps.S saves, and what a trap's report needs to know of it.
#pragma once

namespace kernel {

struct trap_frame {
  u64 x[31];
  u64 sp, elr, spsr, esr, vector;

  u64 instruction() const { return elr; }
  u64 stack() const { return sp; }
  u64 frame_pointer() const { return x[29]; }
  void go_on_at(u64 where) { elr = where; }
  void go_on_at(u64 where, u64 stack) { elr = where, sp = stack; }

  /// The report's first line and its registers.
  void print_cause() const;
  void print_registers() const;
};
static_assert(sizeof(trap_frame) == 288);

} // namespace kernel
