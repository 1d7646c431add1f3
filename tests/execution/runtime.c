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
