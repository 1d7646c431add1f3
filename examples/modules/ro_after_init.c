// SPDX-License-Identifier: MIT
// A variable that only init may write. ro_after_init_get() answers what init computed from `seed`
// (seed * 3 + 1); ro_after_init_poke() writes to it and must fault once the module is live.
#include <kmodld/module.h>

static int seed __initdata = 5;
module_param(seed, int, 0);
static int sealed __ro_after_init;
static int reads __read_mostly;

int ro_after_init_get(void);
int ro_after_init_poke(int value);
int ro_after_init_get(void) {
  reads++;
  return sealed;
}
int ro_after_init_poke(int value) {
  *(volatile int*)&sealed = value;
  return sealed;
}
EXPORT_SYMBOL(ro_after_init_get);
EXPORT_SYMBOL(ro_after_init_poke);

static int __init ro_after_init_init(void) {
  sealed = seed * 3 + 1;
  return 0;
}
static void __exit ro_after_init_exit(void) {}

module_init(ro_after_init_init);
module_exit(ro_after_init_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Data that is read-only after init");
