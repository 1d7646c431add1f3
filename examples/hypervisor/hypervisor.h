/* SPDX-License-Identifier: MIT
 * What the C and C++ files of the hypervisor and its live patches have of each other. */
#pragma once

#include <stdint.h>

/* On a function that a patch may call or replace: its callers know no more of it than its type.
 * Without it compilers inline static functions, or rely on which registers they leave alone. */
#ifdef __clang__
#define patchable __attribute__((noinline, used))
#else
#define patchable __attribute__((noipa))
#endif

#ifdef __cplusplus
extern "C" {
#endif

struct vcpu {
  uint32_t answer;   /* to the last thing that the guest asked for */
  uint32_t refusals; /* requests that were answered with no_value */
};

enum { no_value = 0xffffffff };

/* exits.c: what the hypervisor does when a guest needs it. */
enum exit_reason { exit_yield, exit_read_register, exit_reasons };
uint32_t handle_exit(struct vcpu* v, enum exit_reason reason, uint32_t operand);

/* guest.c: the guest, until it has had every answer once. */
void run_guest(struct vcpu* v);

#ifdef __cplusplus
}
#endif
