/* SPDX-License-Identifier: MIT
 * A live patch of two functions. */
#include "../hypervisor.h"
#include "../livepatch.h"

static uint32_t no_register(struct vcpu* v, uint32_t number) {
  (void)v, (void)number;
  return 1;
}
static uint32_t no_refusal(struct vcpu* v) {
  (void)v;
  return 2;
}
LIVEPATCH(read_register, no_register);
LIVEPATCH(refuse, no_refusal);
