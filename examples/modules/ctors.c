// SPDX-License-Identifier: MIT
// Constructors (.init_array) run before init, in table order. ctors_trace() is 0x123 when all ran
// in that order and init after them, 0x3 on a host without CONSTRUCTORS.
#include <kmodld/module.h>

static unsigned int trace;
static void first(void) { trace = trace << 4 | 1; }
static void second(void) { trace = trace << 4 | 2; }

typedef void (*constructor)(void);
static constructor table[]
    __attribute__((used, aligned(sizeof(constructor)), section(".init_array"))) = {first, second};

unsigned int ctors_trace(void);
unsigned int ctors_trace(void) { return trace; }
EXPORT_SYMBOL(ctors_trace);

static int __init ctors_init(void) {
  trace = trace << 4 | 3;
  return 0;
}
static void __exit ctors_exit(void) {}

module_init(ctors_init);
module_exit(ctors_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Has constructors");
