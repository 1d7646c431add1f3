/* SPDX-License-Identifier: MIT
 * A plugin: it has data, constants and uninitialised memory of its own, calls the host and libc and
 * changes a variable of the host. */
#include "plugin.h"

#include <stdio.h>

static int table[32]; /* .bss */
static int (*const report)(char const*) = host_say;

int init_module(void) {
  for (int i = 0; i < 32; ++i)
    table[i] = i;
  return 0;
}

int plugin_run(int n) {
  char text[64];
  int sum = 0;
  for (int i = 0; i <= n && i < 32; ++i)
    sum += table[i];
  snprintf(text, sizeof text, "the sum of 0 to %d is %d", n, sum);
  report(text);
  ++host_calls;
  return sum;
}

void cleanup_module(void) { host_say("the plugin goes"); }
