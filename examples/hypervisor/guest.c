/* SPDX-License-Identifier: MIT
 * The guest: it asks for one thing after the other. The last is none of its business. */
#include "hypervisor.h"

/* exits.c has a table, too: patches cannot mean either. */
__attribute__((used)) static struct {
  enum exit_reason reason;
  uint32_t operand;
} const table[] = {
    {exit_yield, 0}, {exit_read_register, 0}, {exit_read_register, 3}, {exit_read_register, 4}};

void run_guest(struct vcpu* v) {
  for (unsigned i = 0; i < sizeof table / sizeof table[0]; ++i)
    v->answer = handle_exit(v, table[i].reason, table[i].operand);
}
