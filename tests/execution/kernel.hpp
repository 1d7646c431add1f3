// SPDX-License-Identifier: MIT
// What Debian's modules import from a kernel, as far as those that are executed here do, and
// independent implementations of what they compute.
#pragma once

#include "host.hpp"

// How kernels call on this machine, where it differs from programs.
#if defined(__i386__)
#define KERNEL_CALL __attribute__((regparm(3)))
#else
#define KERNEL_CALL
#endif

namespace kmodld::execution {

template <class F>
address address_of(F* f) noexcept {
  return {reinterpret_cast<std::uintptr_t>(f)};
}

extern "C" {
KERNEL_CALL inline void* kernel_memcpy(void* to, void const* from, size_type n) { return memcpy(to, from, n); }
KERNEL_CALL inline void* kernel_memmove(void* to, void const* from, size_type n) { return memmove(to, from, n); }
KERNEL_CALL inline void* kernel_memset(void* to, int value, size_type n) { return memset(to, value, n); }
KERNEL_CALL inline int kernel_memcmp(void const* a, void const* b, size_type n) { return memcmp(a, b, n); }
int kernel_printk(char const* format, ...);
void kernel_stack_chk_fail();
void kernel_fentry();
}

inline void export_kernel(symbols& to) noexcept {
  to.add("memcpy"sv, {.value = address_of(&memcpy)});
  to.add("memset"sv, {.value = address_of(&memset)});
  to.add("memmove"sv, {.value = address_of(&memmove)});
}
inline void prepare_registers() noexcept {}
inline std::string_view check_kernel_modules(symbols&) noexcept { return {}; }

} // namespace kmodld::execution
