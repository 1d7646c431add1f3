// SPDX-License-Identifier: MIT
// Exports of every kind: plain, GPL-only, in a namespace, and a variable. importer.c uses them all.
#include <kmodld/module.h>

unsigned int exporter_calls;
int exporter_add(int a, int b);
int exporter_mul(int a, int b);
int exporter_secret(void);

int exporter_add(int a, int b) {
  exporter_calls++;
  return a + b;
}
int exporter_mul(int a, int b) {
  exporter_calls++;
  return a * b;
}
int exporter_secret(void) { return 42; }

EXPORT_SYMBOL(exporter_add);
EXPORT_SYMBOL(exporter_calls);
EXPORT_SYMBOL_NS(exporter_secret, KMODLD_SAMPLE);
EXPORT_SYMBOL_GPL(exporter_mul);

static int __init exporter_init(void) { return 0; }
static void __exit exporter_exit(void) { printk(KERN_INFO "exporter: %u calls\n", exporter_calls); }

module_init(exporter_init);
module_exit(exporter_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Exports functions and a variable");
