// SPDX-License-Identifier: MIT
// What compiled Linux modules call besides functions: profiling entry, return and indirect thunks.
// All preserve every register.

  .text
  .globl __fentry__
  .type __fentry__, @function
__fentry__:
  ret
  .size __fentry__, . - __fentry__

  .globl __x86_return_thunk
  .type __x86_return_thunk, @function
__x86_return_thunk:
  ret
  int3
  .size __x86_return_thunk, . - __x86_return_thunk

  .irp register, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
  .balign 16
  .globl __x86_indirect_thunk_\register
  .type __x86_indirect_thunk_\register, @function
__x86_indirect_thunk_\register:
  jmp *%\register
  int3
  .size __x86_indirect_thunk_\register, . - __x86_indirect_thunk_\register
  .endr

  .section .note.GNU-stack, "", @progbits
