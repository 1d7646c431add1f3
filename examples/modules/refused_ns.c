// SPDX-License-Identifier: MIT
// Refused with EINVAL: uses a symbol of a namespace that it does not import.
#define KMODLD_DEPENDS "exporter"
#include <kmodld/module.h>

int exporter_secret(void);
KMODLD_IMPORT(exporter_secret);

static int __init refused_ns_init(void) { return exporter_secret(); }
module_init(refused_ns_init);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Uses a namespace without importing it");
