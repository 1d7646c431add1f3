/* SPDX-License-Identifier: MIT
 * Live patches that must be refused, each for one reason: one -D of check.sh chooses. */
#if defined no_depends || defined other_build
#undef HYPERVISOR_NOTE
#endif
#include "../hypervisor.h"
#include "../livepatch.h"

#ifdef other_build
__attribute__((section(".livepatch.depends"), used)) static struct {
  uint32_t name_size, id_size, type;
  char name[4];
  uint8_t id[20];
} const depends = {4, 20, 3, "GNU", {1, 2, 3}};
#endif

extern uint32_t registers[];
extern uint32_t table[]; /* exits.c and guest.c have one each */
uint32_t refuse(struct vcpu* v);
uint32_t nowhere(struct vcpu* v);

__attribute__((used)) static uint32_t replacement(struct vcpu* v, uint32_t number) {
#if defined ambiguous_import
  return refuse(v) + table[number];
#elif defined unknown_import
  return refuse(v) + nowhere(v) + number;
#else
  return refuse(v) + number;
#endif
}

#if defined unknown_function
LIVEPATCH(read_everything, replacement);
#elif defined no_function
LIVEPATCH(registers, replacement);
#elif defined too_short
LIVEPATCH(yield, replacement);
#elif defined wrong_address
LIVEPATCH_FUNC(0) = {"read_register", replacement, refuse, 0, 0, 1, {0}};
#elif defined wrong_old_size
LIVEPATCH_FUNC(0) = {"read_register", replacement, 0, 0, 4096, 1, {0}};
#elif defined wrong_new_size
LIVEPATCH_FUNC(0) = {"read_register", replacement, 0, 0x7fffffff, 0, 1, {0}};
#elif defined not_in_patch
LIVEPATCH_FUNC(0) = {"read_register", refuse, 0, 0, 0, 1, {0}};
#elif defined not_code
LIVEPATCH_FUNC(0) = {"read_register", &livepatch_0, 0, 0, 0, 1, {0}};
#elif defined no_name
LIVEPATCH_FUNC(0) = {(char const*)refuse, replacement, 0, 0, 0, 1, {0}};
#elif defined other_version
LIVEPATCH_FUNC(0) = {"read_register", replacement, 0, 0, 0, 2, {0}};
#elif defined twice
LIVEPATCH(read_register, replacement);
LIVEPATCH_FUNC(0) = {"read_register", replacement, 0, 0, 0, 1, {0}};
#elif defined cut
__asm__(".pushsection .livepatch.funcs, \"aw\"; .zero 63; .popsection");
#elif defined too_many
__asm__(".pushsection .livepatch.funcs, \"aw\"; .zero 33 * 64; .popsection");
#elif !defined no_table
LIVEPATCH(read_register, replacement);
#endif
