// SPDX-License-Identifier: MIT
// What a program needs of each machine to run without a libc: where it begins, system calls, and
// coherence of the instruction cache. Numbers are those of Linux's system call tables.
#pragma once

#include <kmodld/address.hpp>

namespace kmodld::execution {

extern "C" {
/// Enters the kernel; a negative errno on failure.
long system_call(long number, long a, long b, long c, long d, long e, long f) noexcept;
/// Called by _start with the stack pointer that the kernel gave: argc, argv.
[[noreturn, gnu::used]] void begin(long* stack) noexcept;
}

#if defined(__x86_64__)
enum : long {
  sys_read = 0,
  sys_write = 1,
  sys_mmap = 9,
  sys_mprotect = 10,
  sys_munmap = 11,
  sys_exit = 231,
  sys_openat = 257
};
asm(R"(
  .globl _start, system_call
_start:
  mov %rsp, %rdi
  and $-16, %rsp
  call begin
system_call:
  mov %rdi, %rax
  mov %rsi, %rdi
  mov %rdx, %rsi
  mov %rcx, %rdx
  mov %r8, %r10
  mov %r9, %r8
  mov 8(%rsp), %r9
  syscall
  ret
)");
#elif defined(__i386__)
enum : long {
  sys_read = 3,
  sys_write = 4,
  sys_mmap = 192,
  sys_mprotect = 125,
  sys_munmap = 91,
  sys_exit = 252,
  sys_openat = 295
};
asm(R"(
  .globl _start, system_call
_start:
  mov %esp, %eax
  and $-16, %esp
  sub $12, %esp
  push %eax
  call begin
system_call:
  push %ebp
  push %edi
  push %esi
  push %ebx
  mov 20(%esp), %eax
  mov 24(%esp), %ebx
  mov 28(%esp), %ecx
  mov 32(%esp), %edx
  mov 36(%esp), %esi
  mov 40(%esp), %edi
  mov 44(%esp), %ebp
  int $0x80
  pop %ebx
  pop %esi
  pop %edi
  pop %ebp
  ret
)");
#elif defined(__aarch64__)
asm(R"(
  .globl _start, system_call
_start:
  mov x0, sp
  b begin
system_call:
  mov x8, x0
  mov x0, x1
  mov x1, x2
  mov x2, x3
  mov x3, x4
  mov x4, x5
  mov x5, x6
  svc 0
  ret
)");
#elif defined(__arm__)
enum : long {
  sys_read = 3,
  sys_write = 4,
  sys_mmap = 192,
  sys_mprotect = 125,
  sys_munmap = 91,
  sys_exit = 248,
  sys_openat = 322,
  sys_cacheflush = 0xf0002,
  sys_set_tls = 0xf0005
};
asm(R"(
  .arm
  .globl _start, system_call
  .type _start, %function
  .type system_call, %function
_start:
  mov r0, sp
  bic r1, r0, #7
  mov sp, r1
  bl begin
system_call:
  mov ip, sp
  push {r4, r5, r6, r7, lr}
  mov r7, r0
  mov r0, r1
  mov r1, r2
  mov r2, r3
  ldm ip, {r3, r4, r5}
  svc 0
  pop {r4, r5, r6, r7, pc}
)");
#elif defined(__riscv)
asm(R"(
  .globl _start, system_call
_start:
  mv a0, sp
  andi sp, sp, -16
  call begin
system_call:
  mv a7, a0
  mv a0, a1
  mv a1, a2
  mv a2, a3
  mv a3, a4
  mv a4, a5
  mv a5, a6
  ecall
  ret
)");
#elif defined(__powerpc64__)
enum : long {
  sys_read = 3,
  sys_write = 4,
  sys_mmap = 90,
  sys_mprotect = 125,
  sys_munmap = 91,
  sys_exit = 234,
  sys_openat = 286
};
asm(R"(
  .globl _start, system_call
  .type _start, @function
  .type system_call, @function
_start:
  bcl 20, 31, 1f
1: mflr 2
  addis 2, 2, .TOC.-1b@ha
  addi 2, 2, .TOC.-1b@l
  mr 3, 1
  clrrdi 1, 1, 4
  li 0, 0
  stdu 0, -64(1)
  bl begin
  nop
system_call:
  mr 0, 3
  mr 3, 4
  mr 4, 5
  mr 5, 6
  mr 6, 7
  mr 7, 8
  mr 8, 9
  sc
  bnslr
  neg 3, 3
  blr
)");
#elif defined(__s390x__)
enum : long {
  sys_read = 3,
  sys_write = 4,
  sys_mmap = 90,
  sys_mprotect = 125,
  sys_munmap = 91,
  sys_exit = 248,
  sys_openat = 288
};
asm(R"(
  .globl _start, system_call
_start:
  lgr %r2, %r15
  aghi %r15, -160
  xc 0(8,%r15), 0(%r15)
  brasl %r14, begin
system_call:
  stmg %r6, %r7, 48(%r15)
  lgr %r1, %r2
  lgr %r2, %r3
  lgr %r3, %r4
  lgr %r4, %r5
  lgr %r5, %r6
  lg %r6, 160(%r15)
  lg %r7, 168(%r15)
  svc 0
  lmg %r6, %r7, 48(%r15)
  br %r14
)");
#elif defined(__mips64)
enum : long {
  sys_read = 5000,
  sys_write = 5001,
  sys_mmap = 5009,
  sys_mprotect = 5010,
  sys_munmap = 5011,
  sys_exit = 5205,
  sys_openat = 5247,
  sys_cacheflush = 5197
};
asm(R"(
  .set push
  .set noreorder
  .set noat
  .option pic0
  .globl _start, system_call
  .type _start, @function
  .type system_call, @function
_start:
  move $4, $29
  dla $25, begin
  jalr $25
  nop
system_call:
  move $2, $4
  move $4, $5
  move $5, $6
  move $6, $7
  move $7, $8
  move $8, $9
  move $9, $10
  syscall
  beqz $7, 1f
  nop
  dnegu $2, $2
1: jr $31
  nop
  .option pic2
  .set pop
)");
#elif defined(__mips__)
enum : long {
  sys_read = 4003,
  sys_write = 4004,
  sys_mmap = 4210,
  sys_mprotect = 4125,
  sys_munmap = 4091,
  sys_exit = 4246,
  sys_openat = 4288,
  sys_cacheflush = 4147
};
asm(R"(
  .set push
  .set noreorder
  .option pic0
  .globl _start, system_call
  .type _start, @function
  .type system_call, @function
_start:
  move $4, $29
  addiu $1, $0, -8
  and $29, $29, $1
  addiu $29, $29, -32
  la $25, begin
  jalr $25
  nop
system_call:
  addiu $29, $29, -32
  move $2, $4
  move $4, $5
  move $5, $6
  move $6, $7
  lw $7, 48($29)
  lw $8, 52($29)
  sw $8, 16($29)
  lw $8, 56($29)
  sw $8, 20($29)
  syscall
  addiu $29, $29, 32
  beqz $7, 1f
  nop
  negu $2, $2
1: jr $31
  nop
  .option pic2
  .set pop
)");
#elif defined(__m68k__)
enum : long {
  sys_read = 3,
  sys_write = 4,
  sys_mmap = 192,
  sys_mprotect = 125,
  sys_munmap = 91,
  sys_exit = 247,
  sys_openat = 288,
  sys_cacheflush = 123
};
asm(R"(
  .globl _start, system_call
  .type _start, @function
  .type system_call, @function
_start:
  move.l %sp, %d0
  move.l %d0, -(%sp)
  jsr begin
system_call:
  movem.l %d2-%d5, -(%sp)
  move.l 20(%sp), %d0
  move.l 24(%sp), %d1
  move.l 28(%sp), %d2
  move.l 32(%sp), %d3
  move.l 36(%sp), %d4
  move.l 40(%sp), %d5
  move.l 44(%sp), %a0
  trap #0
  movem.l (%sp)+, %d2-%d5
  rts
)");
#elif defined(__loongarch__)
asm(R"(
  .globl _start, system_call
_start:
  move $a0, $sp
  bstrins.d $sp, $zero, 3, 0
  bl begin
system_call:
  move $a7, $a0
  move $a0, $a1
  move $a1, $a2
  move $a2, $a3
  move $a3, $a4
  move $a4, $a5
  move $a5, $a6
  syscall 0
  jr $ra
)");
#endif
#if defined(__aarch64__) || defined(__riscv) || defined(__loongarch__)
enum : long {
  sys_read = 63,
  sys_write = 64,
  sys_mmap = 222,
  sys_mprotect = 226,
  sys_munmap = 215,
  sys_exit = 94,
  sys_openat = 56
};
#endif

#if defined(__mips__)
inline constexpr long map_anonymous = 0x800;
#else
inline constexpr long map_anonymous = 0x20;
#endif

/// Private memory at exactly this address, read-write; null if there is something already.
inline std::byte* map_at(u64 where, u64 size) noexcept {
  long const at = static_cast<long>(where), bytes = static_cast<long>(size);
  if (u64{static_cast<unsigned long>(at)} != where)
    return nullptr;
  constexpr long fixed_noreplace = 0x100000, is_private = 2, no_reserve = 0x4000;
  long const flags = is_private | map_anonymous | (where != 0 ? fixed_noreplace : 0);
  static_cast<void>(no_reserve);
#if defined(__s390x__)
  long const arguments[6] = {at, bytes, 3, flags, -1, 0};
  long const got = system_call(sys_mmap, reinterpret_cast<long>(arguments), 0, 0, 0, 0, 0);
#else
  long const got = system_call(sys_mmap, at, bytes, 3, flags, -1, 0);
#endif
  if (static_cast<unsigned long>(got) >= static_cast<unsigned long>(-4095L))
    return nullptr;
  if (where != 0 && got != at) { // a kernel that takes the address for a hint
    system_call(sys_munmap, got, bytes, 0, 0, 0, 0);
    return nullptr;
  }
  return reinterpret_cast<std::byte*>(got);
}

/// Makes what was written into memory visible to instruction fetch.
inline void flush_instructions(std::byte* first, u64 size) noexcept {
#if defined(__aarch64__)
  for (u64 i = 0; i < size; i += 16)
    asm volatile("dc cvau, %0" ::"r"(first + i) : "memory");
  asm volatile("dsb ish" ::: "memory");
  for (u64 i = 0; i < size; i += 16)
    asm volatile("ic ivau, %0" ::"r"(first + i) : "memory");
  asm volatile("dsb ish\n isb" ::: "memory");
#elif defined(__arm__)
  long const at = reinterpret_cast<long>(first);
  system_call(sys_cacheflush, at, at + static_cast<long>(size), 0, 0, 0, 0);
#elif defined(__mips__)
  system_call(sys_cacheflush, reinterpret_cast<long>(first), static_cast<long>(size), 3, 0, 0, 0);
#elif defined(__m68k__)
  constexpr long lines = 1, both_caches = 3;
  system_call(sys_cacheflush, reinterpret_cast<long>(first), lines, both_caches,
              static_cast<long>(size), 0, 0);
#elif defined(__powerpc64__)
  for (u64 i = 0; i < size; i += 16)
    asm volatile("dcbst 0,%0" ::"r"(first + i) : "memory");
  asm volatile("sync" ::: "memory");
  for (u64 i = 0; i < size; i += 16)
    asm volatile("icbi 0,%0" ::"r"(first + i) : "memory");
  asm volatile("isync" ::: "memory");
#elif defined(__riscv)
  asm volatile("fence.i" ::: "memory");
#elif defined(__loongarch__)
  asm volatile("dbar 0\n ibar 0" ::: "memory");
#endif
  static_cast<void>(first);
  static_cast<void>(size);
}

} // namespace kmodld::execution
