// SPDX-License-Identifier: MIT
// Has an init and no exit: Linux never unloads it (EBUSY) unless forced.
#include <kmodld/module.h>

int permanent_started;
EXPORT_SYMBOL(permanent_started);

static int __init permanent_init(void) {
  permanent_started = 1;
  return 0;
}
module_init(permanent_init);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Stays for ever");
