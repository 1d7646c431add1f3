// SPDX-License-Identifier: MIT
// A module with a parameter and two exports, for the example kernels.
#include <kmodld/module.h>

// For an exception table entry: the load, and the type of an entry that is a jump (asm/extable*.h).
#ifdef __x86_64__
#define LOAD_BYTE "movzbl (%1), %0"
#define JUMP_ONLY "1"
#else
#define LOAD_BYTE "ldrb %w0, [%1]"
#define JUMP_ONLY "0x03ff0002"
#endif

static int times = 1;
module_param(times, int, 0444);
MODULE_PARM_DESC(times, "how often to greet");

static bool quietly;
module_param(quietly, bool, 0444);
MODULE_PARM_DESC(quietly, "no good bye");

// Prints the greeting and returns how often.
int greet(const char* whom);
int greet(const char* whom) {
  for (int i = 0; i < times; ++i)
    pr_info("greeter: hello, %s\n", whom);
  return times;
}
EXPORT_SYMBOL(greet);

// Reads where it is told to: the kernel makes it fault.
int peek(const volatile unsigned char* where);
int peek(const volatile unsigned char* where) { return times > 0 ? *where : 0; }
EXPORT_SYMBOL(peek);

// The same with an entry in the exception table: -1 if the read faults.
int peek_safely(const volatile unsigned char* where);
int peek_safely(const volatile unsigned char* where) {
  int value = -1;
  __asm__ volatile("1:\t" LOAD_BYTE "\n"
                   "2:\n"
                   "\t.pushsection __ex_table, \"a\"\n"
                   "\t.balign 4\n"
                   "\t.long 1b - .\n"
                   "\t.long 2b - .\n"
                   "\t.long " JUMP_ONLY "\n"
                   "\t.popsection\n"
                   : "+r"(value)
                   : "r"(where)
                   : "memory");
  return value;
}
EXPORT_SYMBOL(peek_safely);

// What a compiler makes of code that must not be reached: no breakpoint, on no machine.
int give_up(void);
int give_up(void) { __builtin_trap(); }
EXPORT_SYMBOL(give_up);

// Takes its time, so that interrupts find it at work.
void spin(unsigned long rounds);
void spin(unsigned long rounds) {
  for (; rounds != 0; --rounds)
    __asm__ volatile("");
}
EXPORT_SYMBOL(spin);

static int __init greeter_init(void) { return times > 0 ? 0 : -22; }
static void __exit greeter_exit(void) {
  if (!quietly)
    pr_info("greeter: good bye\n");
}

module_init(greeter_init);
module_exit(greeter_exit);
MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("greets");
