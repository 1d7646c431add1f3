// SPDX-License-Identifier: MIT
// Not GPL compatible: taints, may use the plain export of exporter.c, and passes its taint to its
// users.
#define KMODLD_DEPENDS "exporter"
#include <kmodld/module.h>

int exporter_add(int a, int b);
KMODLD_IMPORT(exporter_add);

int proprietary_value(void);
int proprietary_value(void) { return exporter_add(20, 3); }
EXPORT_SYMBOL(proprietary_value);

static int __init proprietary_init(void) { return 0; }
static void __exit proprietary_exit(void) {}

module_init(proprietary_init);
module_exit(proprietary_exit);
MODULE_LICENSE("Proprietary");
MODULE_DESCRIPTION("Taints with P");
