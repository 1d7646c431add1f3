// SPDX-License-Identifier: MIT
// Printing to the console: `print("at ", hex(address), ": ", count, " pages\n")`.
#pragma once

#include "types.hpp"

#include <concepts>
#include <cstdarg>

namespace kernel {

/// Sends one character to the console; each machine supplies it.
void put_char(char c);

struct hex {
  u64 value;
  int digits = 1; ///< at least so many
  explicit constexpr hex(u64 v, int least = 1) : value{v}, digits{least} {}
};

void put(text s);
void put(hex h);
void put_decimal(u64 magnitude, bool negative);
inline void put(char const* s) {
  while (*s != '\0')
    put_char(*s++);
}
inline void put(char c) { put_char(c); }
template <std::integral T>
void put(T n) {
  auto wide = static_cast<u64>(n);
  put_decimal(n < 0 ? u64{0} - wide : wide, n < 0);
}

template <class... Parts>
void print(Parts const&... parts) {
  (put(parts), ...);
}

/// printk's formats of a module: %c %s %d %i %u %x %p %% with l, ll, z, h, width and 0. A level
/// mark (SOH and a digit) is dropped, others print as they stand. Returns the characters printed.
int print_format(char const* format, std::va_list arguments);

} // namespace kernel
