// SPDX-License-Identifier: MIT
// What consumer.c uses: functions, tables and variables of all sizes.
#include "sample.h"

byte S(bytes)[300] = {7, [255] = 9, [256] = 11, [299] = 13};
half S(halves)[300] = {700, [200] = 901, [299] = 1303};
word S(words)[3000] = {70000, [1500] = 90001, [2999] = 130003};
wide S(wides)[300] = {7000000000ull, [150] = 9000000001ull, [299] = 13000000003ull};
const char S(text)[] = "the quick brown fox";
word S(counter);
static word calls;

struct record S(records)[4] = {
    {1, 2, 3, 4, "one"},
    {5, 6, 7, 8, S(text) + 4},
    {9, 10, 11, 12, &S(text)[10]},
    {13, 14, 15, 16, "four"},
};
const struct record* const S(record_list)[4] = {&S(records)[3], &S(records)[1], S(records),
                                                &S(records)[2]};

NOINLINE word S(add)(word a, word b) {
  ++calls;
  S(counter) += a;
  return a + b * 3;
}

word S(mix)(word a, word b, word c, word d, word e, word f, word g, word h, word i, word j) {
  return a + 3 * b + 5 * c + 7 * d + 11 * e + 13 * f + 17 * g + 19 * h + 23 * i + 29 * j;
}

word S(apply)(word (*f)(word), word x) {
  ++calls;
  return f(x) + 1;
}

wide S(spread)(word x) { return (wide)x * 0x10001 + S(wides)[x % 300]; }

word S(sum)(word count, ...) {
  __builtin_va_list list;
  __builtin_va_start(list, count);
  word total = 0;
  while (count-- != 0)
    total = total * 3 + __builtin_va_arg(list, word);
  __builtin_va_end(list);
  return total;
}

static word subtract(word a, word b) { return a - b; }
static word either(word a, word b) { return a | b; }
static word (*const choices[])(word, word) = {S(add), subtract, either};
word (*S(choose)(word n))(word, word) { return choices[n % 3]; }
