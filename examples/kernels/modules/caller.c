// SPDX-License-Identifier: MIT
// Uses what the module greeter exports, which therefore cannot go before this one.
#define KMODLD_DEPENDS "greeter"
#include <kmodld/module.h>

int greet(const char* whom);

static int answer;

int last_answer(void);
int last_answer(void) { return answer; }
EXPORT_SYMBOL(last_answer);

static int __init caller_init(void) {
  answer = greet("caller");
  return 0;
}
static void __exit caller_exit(void) {}

module_init(caller_init);
module_exit(caller_exit);
MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("calls the greeter");
