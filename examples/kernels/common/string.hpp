// SPDX-License-Identifier: MIT
// Memory and string functions of the kernel; the contracts are those of ISO C.
#pragma once

#include "types.hpp"

extern "C" {
void* memcpy(void* to, void const* from, std::size_t count);
void* memmove(void* to, void const* from, std::size_t count);
void* memset(void* to, int value, std::size_t count);
int memcmp(void const* a, void const* b, std::size_t count);
std::size_t strlen(char const* s);
int strcmp(char const* a, char const* b);
}

namespace kernel {

/// string_view's own comparison is avoided: it would pull in calls to library functions.
constexpr bool same(text a, text b) {
  if (a.size() != b.size())
    return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] != b[i])
      return false;
  return true;
}

constexpr bool ends_with(text s, text end) {
  return s.size() >= end.size() && same(text{s.data() + (s.size() - end.size()), end.size()}, end);
}

/// A view of a NUL-terminated string.
constexpr text view_of(char const* s) {
  std::size_t n = 0;
  while (s[n] != '\0')
    ++n;
  return {s, n};
}

} // namespace kernel
