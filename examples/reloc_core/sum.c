// SPDX-License-Identifier: MIT
// What reloc_core.cpp links: calls within the object and out of it.
int square(int x);
int add(int a, int b);

__attribute__((noinline)) int add(int a, int b) { return a + b; }

int sum_of_squares(int n) {
  int sum = 0;
  while (n > 0)
    sum = add(sum, square(n--));
  return sum;
}
