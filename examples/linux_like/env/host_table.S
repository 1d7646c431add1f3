// SPDX-License-Identifier: MIT
// Assembly half of the exports: the table, the realigning thunks and the functions with conventions
// of their own. Kernel code keeps the stack aligned to 8 bytes only (-mpreferred-stack-boundary=3),
// host functions need 16. It leaves %al undefined before variadic calls (-mskip-rax-setup), which
// hosts read: it becomes 0.
#include "percpu_layout.inc"

  .text

.macro thunk_entry name
  .balign 16
  .globl thunk_\name
  .type thunk_\name, @function
thunk_\name:
  .cfi_startproc
  push %rbp
  .cfi_def_cfa_offset 16
  .cfi_offset %rbp, -16
  mov %rsp, %rbp
  .cfi_def_cfa_register %rbp
  and $-16, %rsp
.endm

.macro thunk_exit name
  xor %eax, %eax
  call host_\name
  leave
  .cfi_def_cfa %rsp, 8
  ret
  .cfi_endproc
  .size thunk_\name, . - thunk_\name
.endm

.macro realigned name
  thunk_entry \name
  thunk_exit \name
.endm

// 24 words are more than any caller here passes; above the arguments lie older frames, readable.
.macro realigned_with_stack name
  thunk_entry \name
  .irp word, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0
  push 16+8*\word(%rbp)
  .endr
  thunk_exit \name
.endm

#define FUNCTION(name, licence) realigned name
#define STACKED(name, licence) realigned_with_stack name
#define NAKED(name, licence)
#define DATA(name, licence)
#define PERCPU(name, licence)
#include "functions.inc"
#undef FUNCTION
#undef STACKED
#undef NAKED
#undef DATA
#undef PERCPU

.macro naked name
  .balign 16
  .globl naked_\name
  .type naked_\name, @function
naked_\name:
.endm

naked __fentry__
naked __x86_return_thunk
naked __SCT__preempt_schedule
naked __SCT__preempt_schedule_notrace
  ret

naked __SCT__cond_resched
naked __SCT__might_resched
naked returns_zero
  xor %eax, %eax
  ret

.irp register, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
naked __x86_indirect_thunk_\register
  jmp *%\register
.endr

// Callers rely on all but the registers of `rep stos` being kept.
naked clear_page_orig
naked clear_page_rep
naked clear_page_erms
  mov $4096, %ecx
  xor %eax, %eax
  rep stosb
  ret

naked __sw_hweight32
  popcnt %edi, %eax
  ret
naked __sw_hweight64
  popcnt %rdi, %rax
  ret

// MMX code leaves the x87 stack in use, which the host's long double would trip over.
naked kernel_fpu_end
  emms
  ret

// Every entry of the paravirt table: returning zero and keeping the rest suits all its conventions.
  .data
  .balign 64
  .globl host_data_pv_ops
host_data_pv_ops:
  .rept 128
  .quad naked_returns_zero
  .endr

  .bss
  .balign 64
  .globl host_percpu_area
host_percpu_area:
  .skip PERCPU_SIZE

.macro entry name, address, licence
  .section .rodata.host_names, "a", @progbits
9: .asciz "\name"
  .section .data.rel.ro.host_exports, "aw", @progbits
  .quad 9b, \address, \licence
.endm

  .set any, 0
  .set gpl, 1
  .section .data.rel.ro.host_exports, "aw", @progbits
  .balign 8
  .globl host_export_table
host_export_table:
#define FUNCTION(name, licence) entry name, thunk_##name, licence
#define STACKED(name, licence) entry name, thunk_##name, licence
#define NAKED(name, licence) entry name, naked_##name, licence
#define DATA(name, licence) entry name, host_data_##name, licence
#define PERCPU(name, licence) entry name, PERCPU_##name, licence
#include "functions.inc"
  .globl host_export_table_end
host_export_table_end:

  .section .note.GNU-stack, "", @progbits
