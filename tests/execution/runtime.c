// SPDX-License-Identifier: MIT
// What compilers call by themselves; compiled so that they do not see memcpy in memcpy.
typedef __SIZE_TYPE__ size;

void* memcpy(void* to, const void* from, size n) {
  unsigned char* t = to;
  const unsigned char* f = from;
  while (n-- != 0)
    *t++ = *f++;
  return to;
}
void* memmove(void* to, const void* from, size n) {
  unsigned char* t = to;
  const unsigned char* f = from;
  if (t <= f)
    return memcpy(to, from, n);
  while (n-- != 0)
    t[n] = f[n];
  return to;
}
void* memset(void* to, int value, size n) {
  unsigned char* t = to;
  while (n-- != 0)
    *t++ = (unsigned char)value;
  return to;
}
int memcmp(const void* a, const void* b, size n) {
  const unsigned char *x = a, *y = b;
  for (; n != 0; --n, ++x, ++y)
    if (*x != *y)
      return *x - *y;
  return 0;
}

// Of libgcc, for divisions by zero.
int raise(int signal) {
  (void)signal;
  __builtin_trap();
}

// Debian has no libgcc for 32-bit RISC-V.
#if defined(__riscv) && __riscv_xlen == 32
unsigned __bswapsi2(unsigned x) {
  return x << 24 | (x & 0xff00) << 8 | (x >> 8 & 0xff00) | x >> 24;
}
int __clzsi2(unsigned x) {
  int n = 0;
  for (; (x & 0x80000000) == 0; x <<= 1)
    ++n;
  return n;
}
int __clzdi2(unsigned long long x) {
  unsigned high = (unsigned)(x >> 32);
  return high != 0 ? __clzsi2(high) : 32 + __clzsi2((unsigned)x);
}
#endif
