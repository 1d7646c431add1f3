// SPDX-License-Identifier: MIT
// From the PVH entry (32-bit, paging off, %ebx: physical address of hvm_start_info; Xen's PVH boot
// ABI, which QEMU's -kernel follows for a 64-bit ELF) to 64-bit code at the kernel's address.

  .section .note.pvh, "a", @note
  .long 4, 8, 18                // sizes of name and value; XEN_ELFNOTE_PHYS32_ENTRY
  .asciz "Xen"
  .quad pvh_entry

  .section .boot, "ax"
  .code32
  .globl pvh_entry
pvh_entry:
  cli
  cld
  movl %ebx, %esi
  movl $0x80000001, %eax        // without NX there is nothing to show
  cpuid
  btl $20, %edx
  jnc 1f
  movl $boot_pml4, %eax
  movl %eax, %cr3
  movl $0x20, %eax              // CR4.PAE
  movl %eax, %cr4
  movl $0xc0000080, %ecx        // EFER: long mode, NX
  movl $0x900, %eax
  xorl %edx, %edx
  wrmsr
  movl $0x80010011, %eax        // CR0: paging, write protection for the kernel too
  movl %eax, %cr0
  lgdt boot_gdt_pointer
  ljmp $8, $boot_long
1:
  hlt
  jmp 1b

  .code64
boot_long:
  movabsq $high_entry, %rax
  jmp *%rax

  .balign 8
boot_gdt:
  .quad 0
  .quad 0x00af9b000000ffff      // 8: 64-bit code
  .quad 0x00cf93000000ffff      // 16: data
boot_gdt_pointer:
  .word . - boot_gdt - 1
  .long boot_gdt

// The first 1 GiB, at 0 and at the kernel's base; replaced by use_page_tables().
  .section .boot.tables, "a"
  .balign 4096
boot_pml4:
  .quad boot_pdpt_low + 3
  .fill 510, 8, 0
  .quad boot_pdpt_high + 3
boot_pdpt_low:
  .quad boot_pd + 3
  .fill 511, 8, 0
boot_pdpt_high:
  .fill 510, 8, 0
  .quad boot_pd + 3
  .quad 0
boot_pd:
  .set page, 0
  .rept 512
  .quad page + 0x83
  .set page, page + 0x200000
  .endr

  .text
high_entry:
  movw $16, %ax
  movw %ax, %ds
  movw %ax, %es
  movw %ax, %ss
  xorl %eax, %eax
  movw %ax, %fs
  movw %ax, %gs
  movl %esi, %ebx
  movq $bss_start, %rdi
  movq $bss_end, %rcx
  subq %rdi, %rcx
  rep stosb
  movq $kernel_stack_top, %rsp
  xorl %ebp, %ebp
  pushq $0
  pushq $0
  movl %ebx, %edi
  call kernel_main
1:
  cli
  hlt
  jmp 1b
  .size high_entry, . - high_entry

// A page that is never mapped lies under each stack.
  .section .bss.stacks, "aw", @nobits
  .balign 4096
  .globl kernel_stack_guard, kernel_stack, kernel_stack_top
kernel_stack_guard:
  .skip 4096
kernel_stack:
  .skip 32768
kernel_stack_top:
  .globl fault_stack_guard, fault_stack_top
fault_stack_guard:
  .skip 4096
  .skip 12288
fault_stack_top:

  .section .note.GNU-stack, "", @progbits
