/* SPDX-License-Identifier: MIT
 * For authors of live patches: the two sections that make an object one. The format is Xen's
 * (docs/misc/livepatch of its tree), and differs in this:
 *  - name is always needed; old_addr, if it is not 0, must be the address of that function;
 *  - a size of 0 is not compared, so that no tool has to fill it in;
 *  - new_addr must not be 0 (Xen: nops in place of code).
 * A replacement cannot call what it replaces: by then that is a jump to the replacement. */
#pragma once

#include <stdint.h>

struct livepatch_func {
  char const* name; /* of the function that is replaced */
  void* new_addr;
  void* old_addr;
  uint32_t new_size;
  uint32_t old_size;
  uint8_t version; /* 1 */
  uint8_t opaque[31];
};

#define LIVEPATCH_FUNC(id)                                                                         \
  __attribute__((section(".livepatch.funcs"), used)) static struct livepatch_func livepatch_##id
#define LIVEPATCH(old, replacement)                                                                \
  LIVEPATCH_FUNC(old) = {.name = #old, .new_addr = replacement, .version = 1}

/* The build id of the hypervisor that the patch is for: its ELF note, in a file. */
#ifdef HYPERVISOR_NOTE
__asm__(".pushsection .livepatch.depends, \"a\"\n"
        ".incbin \"" HYPERVISOR_NOTE "\"\n"
        ".popsection");
#endif
