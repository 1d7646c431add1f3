// SPDX-License-Identifier: MIT
// A program by itself for the test of `link`: with far.c it calls back and forth, ends with status
// 42 if all results are right, else with the number of what is wrong.
int far_add(int a, int b);
int far_chain(int depth);
extern int absent __attribute__((weak));

int table[4] = {1, 2, 3, 4};
int* into_table = &table[2];
int* absent_address = &absent;
int shared; // common
static volatile int counter = 5;

__attribute__((noinline)) int near_twice(int x) { return 2 * x + counter - 5; }
__attribute__((noinline)) int near_chain(int depth) { return depth == 0 ? 0 : 1 + far_chain(depth - 1); }

__attribute__((used)) int run(void) {
  if (far_add(3, 5) != 11)
    return 1;
  if (near_chain(7) != 7)
    return 2;
  if (*into_table != 3 || absent_address != 0)
    return 3;
  shared += 2;
  if (near_twice(shared) != 4)
    return 4;
  return 42;
}

#if defined(__x86_64__)
#define EXIT "movl %k0, %%edi\n\tmovl $60, %%eax\n\tsyscall"
#elif defined(__i386__)
#define EXIT "movl %0, %%ebx\n\tmovl $1, %%eax\n\tint $0x80"
#elif defined(__aarch64__)
#define EXIT "mov w0, %w0\n\tmov x8, #93\n\tsvc #0"
#elif defined(__arm__)
#define EXIT "mov r0, %0\n\tmov r7, #1\n\tsvc #0"
#elif defined(__riscv)
#define EXIT "mv a0, %0\n\tli a7, 93\n\tecall"
#elif defined(__loongarch__)
#define EXIT "move $a0, %0\n\tli.w $a7, 93\n\tsyscall 0"
#elif defined(__powerpc64__)
#define EXIT "mr 3, %0\n\tli 0, 1\n\tsc"
#elif defined(__s390x__)
#define EXIT "lgr %%r2, %0\n\tsvc 1"
#elif defined(__m68k__)
#define EXIT "move.l %0, %%d1\n\tmoveq #1, %%d0\n\ttrap #0"
#elif defined(__mips64)
#define EXIT "move $4, %0\n\tli $2, 5058\n\tsyscall"
#elif defined(__mips__)
#define EXIT "move $4, %0\n\tli $2, 4001\n\tsyscall"
#endif

#if defined(__x86_64__) || defined(__i386__)
__attribute__((force_align_arg_pointer))
#endif
void
_start(void) {
  long status = run();
  for (;;)
    __asm__ volatile(EXIT ::"r"(status) : "memory");
}
