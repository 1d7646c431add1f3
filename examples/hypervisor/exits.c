/* SPDX-License-Identifier: MIT
 * Exits of the guest. Nothing but handle_exit is visible outside of this file, and one function has
 * a bug. */
#include "hypervisor.h"

/* The first four are the guest's, the others the hypervisor's own. */
enum { guest_registers = 4 };
static uint32_t registers[8] = {10, 11, 12, 13, 0x5ec3e7};

static patchable uint32_t refuse(struct vcpu* v) {
  ++v->refusals;
  return no_value;
}

static patchable uint32_t read_register(struct vcpu* v, uint32_t number) {
  if (number > guest_registers) /* should be >= */
    return refuse(v);
  return registers[number];
}

/* So short that no jump has room in it. */
static patchable uint32_t yield(struct vcpu* v, uint32_t operand) {
  (void)v, (void)operand;
  return 0;
}

static uint32_t (*const table[exit_reasons])(struct vcpu*, uint32_t) = {
    [exit_yield] = yield,
    [exit_read_register] = read_register,
};

uint32_t handle_exit(struct vcpu* v, enum exit_reason reason, uint32_t operand) {
  return reason < exit_reasons ? table[reason](v, operand) : refuse(v);
}
