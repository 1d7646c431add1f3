// SPDX-License-Identifier: MIT
// The C library functions that a freestanding compiler still calls, and that modules import.
// Built with -fno-tree-loop-distribute-patterns, or the loops would become calls to themselves.
#include "string.hpp"

extern "C" {

void* memcpy(void* to, void const* from, std::size_t count) {
  auto* d = static_cast<unsigned char*>(to);
  auto const* s = static_cast<unsigned char const*>(from);
  for (; count != 0; --count)
    *d++ = *s++;
  return to;
}

void* memmove(void* to, void const* from, std::size_t count) {
  auto* d = static_cast<unsigned char*>(to);
  auto const* s = static_cast<unsigned char const*>(from);
  if (d <= s)
    return memcpy(to, from, count);
  while (count-- != 0)
    d[count] = s[count];
  return to;
}

void* memset(void* to, int value, std::size_t count) {
  auto* d = static_cast<unsigned char*>(to);
  for (; count != 0; --count)
    *d++ = static_cast<unsigned char>(value);
  return to;
}

int memcmp(void const* a, void const* b, std::size_t count) {
  auto const* x = static_cast<unsigned char const*>(a);
  auto const* y = static_cast<unsigned char const*>(b);
  for (; count != 0; --count, ++x, ++y)
    if (*x != *y)
      return *x < *y ? -1 : 1;
  return 0;
}

std::size_t strlen(char const* s) {
  std::size_t n = 0;
  while (s[n] != '\0')
    ++n;
  return n;
}

int strcmp(char const* a, char const* b) {
  for (; *a != '\0' && *a == *b; ++a, ++b) {
  }
  return static_cast<unsigned char>(*a) - static_cast<unsigned char>(*b);
}
}
