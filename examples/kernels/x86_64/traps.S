// SPDX-License-Identifier: MIT
// Entry of exceptions and interrupts, and calls from which a fault returns.

  .text
// Every vector pushes an error code, real or 0, and its number: struct trap_frame.
  .set vector, 0
  .rept 48
  .balign 16
  .if vector == 0
  .globl trap_stubs
trap_stubs:
  .endif
  .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21)
  pushq $0
  .endif
  pushq $vector
  jmp trap_common
  .set vector, vector + 1
  .endr

trap_common:
  pushq %rax
  pushq %rcx
  pushq %rdx
  pushq %rbx
  pushq %rbp
  pushq %rsi
  pushq %rdi
  pushq %r8
  pushq %r9
  pushq %r10
  pushq %r11
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  cld
  movq %rsp, %rdi
  call trap_entered
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %r11
  popq %r10
  popq %r9
  popq %r8
  popq %rdi
  popq %rsi
  popq %rbp
  popq %rbx
  popq %rdx
  popq %rcx
  popq %rax
  addq $16, %rsp
  iretq
  .size trap_common, . - trap_common

// probe_result probe_write(address): writes the byte that is there already.
  .globl probe_write
  .type probe_write, @function
probe_write:
1: movb (%rdi), %dl
2: movb %dl, (%rdi)
  xorl %eax, %eax
  ret
3: movl $1, %eax
  ret
4: movl $2, %eax
  ret
  .size probe_write, . - probe_write

  .section .fixups, "a"
  .quad 1b, 3b, 2b, 4b
  .text

// call_outcome guarded_call(function, argument): rax its value, rdx 1 if a fault ended it.
  .globl guarded_call
  .type guarded_call, @function
guarded_call:
  pushq %rbp
  movq %rsp, %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  pushq recovery_stack(%rip)
  movq %rsp, recovery_stack(%rip)
  movq %rdi, %rax
  movq %rsi, %rdi
  call *%rax
  xorl %edx, %edx
  jmp 1f
  .globl guarded_call_faulted
guarded_call_faulted:
  xorl %eax, %eax
  movl $1, %edx
1:
  popq recovery_stack(%rip)
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
  .size guarded_call, . - guarded_call

  .bss
  .balign 8
  .globl recovery_stack
recovery_stack:
  .skip 8
  .section .note.GNU-stack, "", @progbits
