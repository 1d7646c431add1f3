// SPDX-License-Identifier: MIT
// init fails with -ENODEV after it has changed memory and printed; `error` chooses another result.
// error=0 loads. Nothing of it may stay behind.
#include <kmodld/module.h>

static int error = -19;
module_param(error, int, 0);
MODULE_PARM_DESC(error, "what init returns");

static int attempts;
int fails_attempts(void);
int fails_attempts(void) { return attempts; }
EXPORT_SYMBOL(fails_attempts);

static int __init fails_init(void) {
  attempts++;
  printk(KERN_ERR "fails: no device, returning %d\n", error);
  return error;
}
static void __exit fails_exit(void) {}

module_init(fails_init);
module_exit(fails_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Cannot be loaded");
