// SPDX-License-Identifier: MIT
// Refused with ENOENT: not GPL compatible, so the GPL-only export of exporter.c does not exist for
// it.
#define KMODLD_DEPENDS "exporter"
#include <kmodld/module.h>

int exporter_mul(int a, int b);
KMODLD_IMPORT(exporter_mul);

static int __init refused_gpl_init(void) { return exporter_mul(6, 7); }
module_init(refused_gpl_init);
MODULE_LICENSE("Proprietary");
MODULE_DESCRIPTION("Uses a GPL-only symbol without the right");
