// SPDX-License-Identifier: MIT
// A module whose init fails, after it has taken a reference to another module.
#define KMODLD_DEPENDS "greeter"
#include <kmodld/module.h>

int greet(const char* whom);

static int __init refuser_init(void) {
  greet("refuser");
  return -19; // ENODEV
}
module_init(refuser_init);
MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("does not want to be loaded");
