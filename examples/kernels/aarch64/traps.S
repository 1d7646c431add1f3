// SPDX-License-Identifier: MIT
// Entry of exceptions and interrupts, and calls from which a fault returns.

  .set frame_size, 288          // struct trap_frame

  .text
// Sixteen entries of 32 instructions (Arm ARM, "Exception vectors"). EL0 does not exist here, so
// its thread registers are free to hold what has no other place yet.
  .balign 2048
  .globl trap_vectors
trap_vectors:
  .set vector, 0
  .rept 16
  .balign 128
  msr tpidr_el0, x0
  sub sp, sp, #frame_size
  mov x0, sp
  msr tpidrro_el0, x0
  tbz x0, #15, 1f               // not within the kernel's stack
  tst x0, #15
  b.eq 2f                       // or misaligned, which is why the trap may have come
1:
  adrp x0, fault_stack_top - frame_size
  add x0, x0, :lo12:fault_stack_top - frame_size
  mov sp, x0
2:
  mrs x0, tpidr_el0
  stp x0, x1, [sp]
  mov x1, #vector
  b trap_common
  .set vector, vector + 1
  .endr

trap_common:
  stp x2, x3, [sp, #16]
  stp x4, x5, [sp, #32]
  stp x6, x7, [sp, #48]
  stp x8, x9, [sp, #64]
  stp x10, x11, [sp, #80]
  stp x12, x13, [sp, #96]
  stp x14, x15, [sp, #112]
  stp x16, x17, [sp, #128]
  stp x18, x19, [sp, #144]
  stp x20, x21, [sp, #160]
  stp x22, x23, [sp, #176]
  stp x24, x25, [sp, #192]
  stp x26, x27, [sp, #208]
  stp x28, x29, [sp, #224]
  mrs x2, tpidrro_el0
  add x2, x2, #frame_size
  stp x30, x2, [sp, #240]
  mrs x2, elr_el1
  mrs x3, spsr_el1
  stp x2, x3, [sp, #256]
  mrs x2, esr_el1
  stp x2, x1, [sp, #272]
  mov x0, sp
  bl trap_entered
  ldp x2, x3, [sp, #256]
  msr elr_el1, x2
  msr spsr_el1, x3
  ldp x30, x0, [sp, #240]
  ldr x1, [sp]
  msr tpidr_el0, x1
  ldp x28, x29, [sp, #224]
  ldp x26, x27, [sp, #208]
  ldp x24, x25, [sp, #192]
  ldp x22, x23, [sp, #176]
  ldp x20, x21, [sp, #160]
  ldp x18, x19, [sp, #144]
  ldp x16, x17, [sp, #128]
  ldp x14, x15, [sp, #112]
  ldp x12, x13, [sp, #96]
  ldp x10, x11, [sp, #80]
  ldp x8, x9, [sp, #64]
  ldp x6, x7, [sp, #48]
  ldp x4, x5, [sp, #32]
  ldp x2, x3, [sp, #16]
  ldr x1, [sp, #8]
  mov sp, x0
  mrs x0, tpidr_el0
  eret
  .size trap_common, . - trap_common

// probe_result probe_write(address): writes the byte that is there already.
  .globl probe_write
  .type probe_write, @function
probe_write:
1: ldrb w1, [x0]
2: strb w1, [x0]
  mov w0, #0
  ret
3: mov w0, #1
  ret
4: mov w0, #2
  ret
  .size probe_write, . - probe_write

  .section .fixups, "a"
  .quad 1b, 3b, 2b, 4b
  .text

// call_outcome guarded_call(function, argument): x0 its value, x1 1 if a fault ended it.
  .globl guarded_call
  .type guarded_call, @function
guarded_call:
  stp x29, x30, [sp, #-112]!
  mov x29, sp
  stp x19, x20, [sp, #16]
  stp x21, x22, [sp, #32]
  stp x23, x24, [sp, #48]
  stp x25, x26, [sp, #64]
  stp x27, x28, [sp, #80]
  adrp x9, recovery_stack
  ldr x10, [x9, :lo12:recovery_stack]
  str x10, [sp, #96]
  mov x10, sp
  str x10, [x9, :lo12:recovery_stack]
  mov x9, x0
  mov x0, x1
  blr x9
  mov x1, #0
  b 1f
  .globl guarded_call_faulted
guarded_call_faulted:
  mov x0, #0
  mov x1, #1
1:
  adrp x9, recovery_stack
  ldr x10, [sp, #96]
  str x10, [x9, :lo12:recovery_stack]
  ldp x27, x28, [sp, #80]
  ldp x25, x26, [sp, #64]
  ldp x23, x24, [sp, #48]
  ldp x21, x22, [sp, #32]
  ldp x19, x20, [sp, #16]
  ldp x29, x30, [sp], #112
  ret
  .size guarded_call, . - guarded_call

  .bss
  .balign 8
  .globl recovery_stack
recovery_stack:
  .skip 8
  .section .note.GNU-stack, "", @progbits
