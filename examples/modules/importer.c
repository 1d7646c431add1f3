// SPDX-License-Identifier: MIT
// Uses the plain, GPL-only and namespaced exports of exporter.c: importer_compute(a, b) = a * b + a
// + 42.
#define KMODLD_DEPENDS "exporter"
#include <kmodld/module.h>

extern unsigned int exporter_calls;
int exporter_add(int a, int b);
int exporter_mul(int a, int b);
int exporter_secret(void);
KMODLD_IMPORT(exporter_add);
KMODLD_IMPORT(exporter_calls);
KMODLD_IMPORT(exporter_mul);
KMODLD_IMPORT(exporter_secret);

int importer_compute(int a, int b);
unsigned int importer_calls(void);

int importer_compute(int a, int b) {
  return exporter_add(exporter_mul(a, b), exporter_add(a, exporter_secret()));
}
unsigned int importer_calls(void) { return exporter_calls; }
EXPORT_SYMBOL(importer_calls);
EXPORT_SYMBOL_GPL(importer_compute);

static int __init importer_init(void) { return importer_compute(2, 3) == 50 ? 0 : -22; }
static void __exit importer_exit(void) {}

module_init(importer_init);
module_exit(importer_exit);
MODULE_LICENSE("GPL v2");
MODULE_DESCRIPTION("Uses the exports of exporter");
MODULE_SOFTDEP("post: hello");
MODULE_IMPORT_NS(KMODLD_SAMPLE);
