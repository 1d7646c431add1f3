// SPDX-License-Identifier: MIT
// Algorithms over caller's memory and over numbers: recursion, function pointers, a jump table.
#include <kmodld/module.h>

void sorting_sort(long* values, size_t count, int descending);
int sorting_is_sorted(const long* values, size_t count, int descending);
unsigned int sorting_primes_below(unsigned int limit);
unsigned long sorting_gcd(unsigned long a, unsigned long b);
unsigned long sorting_ackermann(unsigned long m, unsigned long n);
long sorting_calculate(unsigned int operation, long a, long b);
int sorting_selftest(void);

typedef int (*order)(long a, long b);
static int ascending(long a, long b) { return a < b; }
static int descending_order(long a, long b) { return a > b; }
static const order orders[] = {ascending, descending_order};

static void sift(long* values, size_t root, size_t count, order before) {
  for (size_t child = 2 * root + 1; child < count; root = child, child = 2 * root + 1) {
    if (child + 1 < count && before(values[child], values[child + 1]))
      child++;
    if (!before(values[root], values[child]))
      return;
    long kept = values[root];
    values[root] = values[child];
    values[child] = kept;
  }
}

void sorting_sort(long* values, size_t count, int descending) {
  order before = orders[descending != 0];
  for (size_t root = count / 2; root-- > 0;)
    sift(values, root, count, before);
  for (size_t last = count; last-- > 1;) {
    long greatest = values[0];
    values[0] = values[last];
    values[last] = greatest;
    sift(values, 0, last, before);
  }
}

int sorting_is_sorted(const long* values, size_t count, int descending) {
  for (size_t i = 1; i < count; i++)
    if (orders[descending != 0](values[i], values[i - 1]))
      return 0;
  return 1;
}

unsigned int sorting_primes_below(unsigned int limit) {
  unsigned int found = 0;
  for (unsigned int n = 2; n < limit; n++) {
    unsigned int divisor = 2;
    while (divisor * divisor <= n && n % divisor != 0)
      divisor++;
    found += divisor * divisor > n;
  }
  return found;
}

unsigned long sorting_gcd(unsigned long a, unsigned long b) {
  while (b != 0) {
    unsigned long rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

unsigned long sorting_ackermann(unsigned long m, unsigned long n) {
  if (m == 0)
    return n + 1;
  return sorting_ackermann(m - 1, n == 0 ? 1 : sorting_ackermann(m, n - 1));
}

// 0 add, 1 subtract, 2 multiply, 3 divide, 4 remainder, 5 and, 6 or, 7 xor; -1 for others and x /
// 0.
long sorting_calculate(unsigned int operation, long a, long b) {
  switch (operation) {
  case 0: return a + b;
  case 1: return a - b;
  case 2: return a * b;
  case 3: return b != 0 ? a / b : -1;
  case 4: return b != 0 ? a % b : -1;
  case 5: return a & b;
  case 6: return a | b;
  case 7: return a ^ b;
  default: return -1;
  }
}

// Sorts 100 pseudo-random numbers both ways; 0 if that is right and their sum is kept.
static long sample[100];
int sorting_selftest(void) {
  for (int descending = 0; descending < 2; descending++) {
    unsigned int state = 1;
    long before = 0, after = 0;
    for (size_t i = 0; i < 100; i++) {
      state = state * 1103515245u + 12345u;
      sample[i] = (long)(state >> 16) - 32768;
      before += sample[i];
    }
    sorting_sort(sample, 100, descending);
    for (size_t i = 0; i < 100; i++)
      after += sample[i];
    if (before != after || !sorting_is_sorted(sample, 100, descending))
      return -1;
  }
  return 0;
}

EXPORT_SYMBOL(sorting_ackermann);
EXPORT_SYMBOL(sorting_calculate);
EXPORT_SYMBOL(sorting_gcd);
EXPORT_SYMBOL(sorting_is_sorted);
EXPORT_SYMBOL(sorting_primes_below);
EXPORT_SYMBOL(sorting_selftest);
EXPORT_SYMBOL(sorting_sort);

static int __init sorting_init(void) { return sorting_selftest() == 0 ? 0 : -5; }
static void __exit sorting_exit(void) {}

module_init(sorting_init);
module_exit(sorting_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Heap sort and small arithmetic");
