// SPDX-License-Identifier: MIT
// Formatting of numbers and of the printf-like strings that modules pass to printk.
#include "console.hpp"
#include "string.hpp"

namespace kernel {

void put(text s) {
  for (char c : s)
    put_char(c);
}

void put(hex h) {
  int digits = 16;
  while (digits > h.digits && digits > 1 && (h.value >> (4 * (digits - 1))) == 0)
    --digits;
  while (digits-- > 0)
    put_char("0123456789abcdef"[(h.value >> (4 * digits)) & 15]);
}

void put_decimal(u64 magnitude, bool negative) {
  char buffer[21];
  std::size_t at = sizeof buffer;
  do {
    buffer[--at] = static_cast<char>('0' + magnitude % 10);
    magnitude /= 10;
  } while (magnitude != 0);
  if (negative)
    buffer[--at] = '-';
  put(text{buffer + at, sizeof buffer - at});
}

namespace {

// One conversion: its length modifiers decide how much of the argument is read.
struct conversion {
  bool zero = false;
  int width = 0;
  int longs = 0;
  char kind = '\0';
};

char const* parse(char const* f, conversion& c) {
  for (; *f == '-' || *f == '+' || *f == '#' || *f == ' ' || *f == '0'; ++f)
    c.zero |= *f == '0';
  for (; *f >= '0' && *f <= '9' && c.width < 100; ++f)
    c.width = c.width * 10 + (*f - '0');
  for (; *f == 'l' || *f == 'z' || *f == 'h'; ++f)
    c.longs += *f != 'h';
  c.kind = *f;
  return *f == '\0' ? f : f + 1;
}

int digits_of(u64 value, unsigned base) {
  int n = 1;
  while (base == 16 ? (value >>= 4) != 0 : (value /= 10) != 0)
    ++n;
  return n;
}

int put_padded(conversion const& c, u64 value, bool negative, unsigned base) {
  int length = digits_of(value, base) + negative;
  int printed = length;
  for (; printed < c.width; ++printed)
    put_char(c.zero ? '0' : ' ');
  if (base == 16)
    put(hex{value});
  else
    put_decimal(value, negative);
  return printed;
}

} // namespace

int print_format(char const* f, std::va_list arguments) {
  if (f[0] == '\001' && f[1] != '\0')
    f += 2;
  int printed = 0;
  while (*f != '\0') {
    if (*f != '%') {
      put_char(*f++);
      ++printed;
      continue;
    }
    conversion c;
    f = parse(f + 1, c);
    switch (c.kind) {
    case 'd':
    case 'i': {
      i64 value = c.longs != 0 ? va_arg(arguments, i64) : va_arg(arguments, int);
      auto wide = static_cast<u64>(value);
      printed += put_padded(c, value < 0 ? u64{0} - wide : wide, value < 0, 10);
      break;
    }
    case 'u':
    case 'x':
      printed += put_padded(c, c.longs != 0 ? va_arg(arguments, u64) : va_arg(arguments, unsigned),
                            false, c.kind == 'x' ? 16 : 10);
      break;
    case 'p': printed += put_padded({true, 16, 0, 'p'}, va_arg(arguments, u64), false, 16); break;
    case 's': {
      auto const* s = va_arg(arguments, char const*);
      text shown = view_of(s != nullptr ? s : "(null)");
      put(shown);
      printed += static_cast<int>(shown.size());
      break;
    }
    case 'c':
      put_char(static_cast<char>(va_arg(arguments, int)));
      ++printed;
      break;
    case '\0': break;
    default: put_char(c.kind); ++printed;
    }
  }
  return printed;
}

} // namespace kernel
