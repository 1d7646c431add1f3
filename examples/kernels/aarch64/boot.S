// SPDX-License-Identifier: MIT
// From the first byte of the image (Linux's arm64 boot protocol, which QEMU's -kernel follows for a
// flat image with this header: MMU off, EL2 or EL1, x0: physical address of the device tree) to
// code at the kernel's address in EL1. Registers: Arm ARM, D19.2, "General system control
// registers".

  .section .boot, "ax"
  .globl _start
_start:
  b boot_entry
  .long 0
  .quad 0                       // text_offset: from a boundary of 2 MiB
  .quad image_size
  .quad 2                       // flags: little-endian, pages of 4 KiB
  .quad 0, 0, 0
  .ascii "ARM\x64"
  .long 0

boot_entry:
  msr daifset, #15
  mov x20, x0
  mrs x21, CurrentEL
  cmp x21, #2 << 2
  b.ne 1f
  mov x1, #1 << 31              // HCR_EL2: EL1 is AArch64 (RW). With E2H, the next would be EL2's
  msr hcr_el2, x1
  isb
  ldr x1, =0x30d00800           // SCTLR_EL1: MMU and caches off; its value was unknown
  msr sctlr_el1, x1
  mov x1, #0x33ff               // CPTR_EL2: of the extensions only SVE is trapped
  msr cptr_el2, x1
  msr mdcr_el2, xzr             // neither debugging nor counting is
  mov x1, #3                    // CNTHCTL_EL2: nor are the generic timer's counter and timer
  msr cnthctl_el2, x1
  msr cntvoff_el2, xzr
  mov x1, #0x3c5                // EL1 with its own stack pointer, interrupts masked
  msr spsr_el2, x1
  adr x1, 1f
  msr elr_el2, x1
  eret
1:
  msr spsel, #1
  adr x1, _start                // linked for one address only
  ldr x2, =_start
  cmp x1, x2
  b.ne 2f
  ldr x1, =0x04ff               // MAIR: 0 is memory, cached; 1 is device registers (nGnRE)
  msr mair_el1, x1
  ldr x1, =0x2b5103510          // TCR: two halves of 48 bits, 4 KiB pages, walks cached, 40-bit PA
  msr tcr_el1, x1
  adr x1, boot_tables
  msr ttbr0_el1, x1
  msr ttbr1_el1, x1
  isb
  tlbi vmalle1
  dsb nsh
  isb
  ldr x1, =0x30d0180d           // SCTLR: MMU, data and instruction cache, alignment of the stack
  msr sctlr_el1, x1
  isb
  ldr x1, =high_entry
  br x1
2:
  wfi
  b 2b

// x0: physical address of the new tables. Runs at its physical address: one page's entry may not
// be replaced by one of another size while it is in use (Arm ARM, "Using break-before-make when
// updating translation table entries").
replace_tables:
  adr x1, boot_empty
  msr ttbr1_el1, x1
  isb
  tlbi vmalle1
  dsb nsh
  isb
  msr ttbr1_el1, x0
  isb
  ret
  .ltorg

// The first 2 GiB, at 0 and at the kernel's base: devices, then memory; replaced by
// use_page_tables().
  .section .boot.tables, "a"
  .balign 4096
boot_tables:
  .quad boot_blocks + 3
  .fill 255, 8, 0
  .quad boot_blocks + 3
  .fill 255, 8, 0
boot_blocks:
  .quad 0x0060000000000405      // device registers, nothing executes
  .quad 0x0040000040000701      // memory
  .fill 510, 8, 0
boot_empty:
  .fill 512, 8, 0

  .text
high_entry:
  ldr x1, =bss_start
  ldr x2, =bss_end
1:
  stp xzr, xzr, [x1], #16
  cmp x1, x2
  b.lo 1b
  ldr x1, =kernel_stack_top
  mov sp, x1
  stp xzr, xzr, [sp, #-16]!     // where the chain of frames ends
  mov x29, sp
  ldr x1, =entry_level
  str x21, [x1]
  mov x0, x20
  bl kernel_main
2:
  wfi
  b 2b
  .size high_entry, . - high_entry

// void use_page_tables(root): see common/machine.hpp
  .globl use_page_tables
  .type use_page_tables, @function
use_page_tables:
  mov x9, x30
  dsb ishst
  ldr x1, =replace_tables
  blr x1
  mrs x1, tcr_el1
  orr x1, x1, #1 << 7           // EPD0: no walks of TTBR0, so nothing low is mapped
  msr tcr_el1, x1
  isb
  tlbi vmalle1
  dsb nsh
  isb
  ret x9
  .size use_page_tables, . - use_page_tables
  .ltorg

// A page that is never mapped lies under each stack. The upper half of these 64 KiB is the kernel's
// stack, so that one bit of an address tells a trap's entry whether there is room (traps.S).
  .section .bss.stacks, "aw", @nobits
  .balign 65536
  .globl kernel_stack_guard, kernel_stack, kernel_stack_top
  .globl fault_stack_guard, fault_stack_top
fault_stack_guard:
  .skip 4096
  .skip 24576
fault_stack_top:
kernel_stack_guard:
  .skip 4096
kernel_stack:
  .skip 32768
kernel_stack_top:

  .section .note.GNU-stack, "", @progbits
