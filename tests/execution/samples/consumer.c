// SPDX-License-Identifier: MIT
// One part a kind of reference; run() takes them by number. Each ends in a number that does not
// depend on where anything lies.
#include "sample.h"

static word own_words[2000] = {3, [999] = 5, [1999] = 8};
static byte own_bytes[5000];
static half own_halves[700] = {1, [333] = 2};
static wide own_wides[600] = {1, [599] = 6000000000ull};
static word zeroed;
static const word constants[] = {0x12345678, 0x9abcdef0, 0x0fedcba9, 0x87654321};

// Dense cases become a jump table.
NOINLINE static word jump_table(word x) {
  switch (x % 13) {
  case 0: return S(add)(x, 1);
  case 1: return x * 5;
  case 2: return S(words)[0] ^ x;
  case 3: return x - 9;
  case 4: return S(add)(2, x);
  case 5: return x << 3;
  case 6: return own_words[999] + x;
  case 7: return x >> 2;
  case 8: return ~x;
  case 9: return constants[x & 3];
  case 10: return x | 0x5555;
  case 11: return S(mix)(x, 2, 3, 4, 5, 6, 7, 8, 9, 10);
  default: return x & 0x777;
  }
}

// A table of differences between labels, and one of labels.
NOINLINE static word computed_goto(word x) {
  static const int offsets[] = {&&one - &&one, &&two - &&one, &&three - &&one, &&four - &&one};
  static const void* const labels[] = {&&one, &&two, &&three, &&four};
  word total = 0;
  for (word i = 0; i < 8; ++i, x = x * 7 + 1) {
    if (i & 1)
      goto* labels[x >> 3 & 3];
    goto*(const void*)((const char*) && one + offsets[x >> 3 & 3]);
  one:
    total += 1;
    continue;
  two:
    total = total * 3 + x;
    continue;
  three:
    total ^= 0x1234;
    continue;
  four:
    total = (total << 1) + 5;
  }
  return total;
}

// Nobody defines these; the third is defined here, but another could take its place.
extern word S(absent)(word) __attribute__((__weak__));
extern word S(absent_data)[4] __attribute__((__weak__));
__attribute__((__weak__)) NOINLINE word S(replaceable)(word x) { return x * 2 + 1; }
NOINLINE static word weak_symbols(word x) {
  word total = S(replaceable)(x);
  if (S(absent))
    total += S(absent)(x);
  if (S(absent_data) != 0)
    total += S(absent_data)[1];
  return total;
}

static word twice(word x) { return 2 * x; }
static word thrice(word x) { return 3 * x + zeroed; }
static word (*const functions[])(word) = {twice, thrice, jump_table, S(replaceable)};
static word* const pointers[] = {&own_words[1999], &S(words)[1500], &S(words)[2999], &S(counter),
                                 &zeroed};
static const char* const names[] = {"alpha", "beta", S(text) + 10, "delta"};
NOINLINE static word data_pointers(word x) {
  word total = 0;
  for (word i = 0; i < 4; ++i) {
    total = total * 31 + functions[(x + i) & 3](x);
    for (const char* s = names[i]; *s != '\0'; ++s)
      total = total * 31 + (byte)*s;
  }
  word old = *pointers[3];
  *pointers[3] = 0;
  for (word i = 0; i < 5; ++i)
    total = total * 31 + *pointers[i];
  *pointers[3] = old;
  return total;
}

// Loads and stores of all widths, own and foreign, with addends.
NOINLINE static word narrow(word x) {
  own_bytes[0] = (byte)x;
  own_bytes[4099] = (byte)(x >> 3);
  own_halves[0] = (half)(x * 3);
  own_halves[601] = (half)(x * 5);
  S(bytes)[1] = (byte)(x + 1);
  S(bytes)[298] = (byte)(x + 2);
  S(halves)[3] = (half)(x + 3);
  S(words)[1234] = x + 4;
  S(wides)[7] = x + 5;
  zeroed = 0;
  return own_bytes[0] + own_bytes[4099] * 3 + own_bytes[4098] + own_halves[0] * 5 +
         own_halves[601] * 7 + own_halves[333] + S(bytes)[0] + S(bytes)[1] + S(bytes)[255] +
         S(bytes)[256] * 3 + S(bytes)[298] + S(halves)[3] + S(halves)[200] + S(words)[1234] * 3 +
         S(words)[2999] + (word)S(wides)[7] + (word)S(wides)[150] + (word)own_wides[599];
}
NOINLINE static word indexed(word x) {
  word total = 0;
  for (word i = 0; i < 40; ++i)
    total = total * 3 + S(bytes)[(x + i) % 300] + S(halves)[(x * i) % 300] +
            S(words)[(x + 37 * i) % 3000] + (word)S(wides)[(x + i) % 300] + constants[i & 3] +
            own_words[(x + i) % 2000];
  return total;
}

// Aligned to 16 bytes, where the machine has such registers.
typedef word vector __attribute__((__vector_size__(16)));
static vector own_vectors[40] = {{1, 2, 3, 4}, [39] = {5, 6, 7, 8}};
NOINLINE static word vectors(word x) {
  vector v = {x, x + 1, x + 2, x + 3};
  own_vectors[3] = own_vectors[39] + v;
  v = own_vectors[3] ^ own_vectors[0];
  return v[0] + 3 * v[1] + 5 * v[2] + 7 * v[3];
}

#ifndef NO_FLOAT
static double scale = 3.25;
static const float small = 1.5f;
NOINLINE static word floating(word x) {
  double d = (double)(int)(x & 0xffff) * scale + 0.6875 - 1234.0625;
  float f = (float)(int)(x & 0xff) * small;
  return (word)(int)(d * 16) + (word)(int)(f * 2);
}
#else // the same without
NOINLINE static word floating(word x) { return (x & 0xffff) * 52 - 19734 + (x & 0xff) * 3; }
#endif

NOINLINE static word calls(word x) {
  word total = S(add)(x, 5);
  total ^= S(mix)(x, total, 1, 2, 3, total, 4, x, 5, total);
  total += S(sum)(3, x, total, 7u) * 3 + S(sum)(9, 1u, 2u, 3u, 4u, 5u, x, 7u, 8u, 9u);
  total ^= S(apply)(twice, x) + S(apply)(S(replaceable), total);
  total += (word)S(spread)(x) ^ (word)(S(spread)(total) >> 32);
  for (word i = 0; i < 3; ++i)
    total = total * 3 + S(choose)(i + x)(total, x);
  total += S(choose)(0) == S(add); // one function has one address
  return total;
}
NOINLINE static word tail_call(word x) { return S(add)(x, x + 1); }
NOINLINE static word conditional_tail_call(word x) {
  if (x & 1)
    return S(add)(x, 3);
  if (x & 2)
    return S(spread)(x) & 1 ? twice(x) : thrice(x);
  return S(add)(3, x);
}

NOINLINE static word structures(word x) {
  word total = 0;
  for (word i = 0; i < 4; ++i) {
    const struct record* r = S(record_list)[(x + i) & 3];
    total = total * 31 + r->a + r->b * 3u + r->c * 5 + (word)r->d + (byte)r->name[1];
  }
  struct record copy = S(records)[x & 3];
  copy.c += x;
  S(records)[2].c = 11;
  return total + copy.c + S(records)[3].b + (word)S(records)[1].d;
}

// Large enough for the compiler to call memset and memcpy.
NOINLINE static word blocks(word x) {
  word one[200], two[200];
  word* p = one;
  HIDE(p);
  __builtin_memset(p, 0, sizeof one);
  for (word i = 0; i < 200; i += 3)
    p[i] = x + i;
  __builtin_memcpy(two, p, sizeof two);
  p = two;
  HIDE(p);
  word total = 0;
  for (word i = 0; i < 200; ++i)
    total = total * 3 + p[i];
  return total;
}

// Sections of their own: the assembler cannot resolve what refers to another one.
__attribute__((__section__(".text.apart"))) NOINLINE static word apart(word x) {
  return S(add)(x, constants[1]) + zeroed;
}
__attribute__((__cold__)) NOINLINE static word cold(word x) { return x ^ own_words[0]; }
NOINLINE static word sections(word x) {
  if (__builtin_expect(x == 12345, 0))
    return cold(x);
  return apart(x) + apart(x + 1) + cold(x);
}
NOINLINE static word recursive(word x) {
  return x < 3 ? x : recursive(x - 1) + 2 * recursive(x - 3);
}

// Data as only an assembler writes it: 8, 16 and 32 bits, differences of labels in another section.
#if defined(__clang__) && defined(__mips__)
#define DIFFERENCE_8 "20" // Clang 19 makes 0 of a difference in a byte
#else
#define DIFFERENCE_8 ".Lmarked_end - .Lmarked"
#endif
__asm__("\t.pushsection .rodata.differences,\"a\"\n"
        "\t.globl " SYMBOL(differences) "\n"
                                        "\t.balign 8\n" SYMBOL(
                                            differences) ":\n"
                                                         "\t.4byte .Lmarked_end - .Lmarked\n"
                                                         "\t.2byte .Lmarked_end - .Lmarked\n"
                                                         "\t.byte " DIFFERENCE_8 "\n"
                                                         "\t.byte 77\n"
                                                         "\t.popsection\n"
                                                         "\t.pushsection .data.marked,\"aw\"\n"
                                                         "\t.balign 8\n"
                                                         ".Lmarked: .4byte 1, 2, 3, 4, 5\n"
                                                         ".Lmarked_end: .4byte 6\n"
                                                         "\t.popsection\n");
extern const byte S(differences)[];
NOINLINE static word differences(word x) {
  word total = x;
  for (word i = 0; i < 8; ++i)
    total = total * 3 + S(differences)[i];
  return total;
}

// What the host exports: a function that calls back.
extern word kmodld_host_double(word);
NOINLINE static word host(word x) { return kmodld_host_double(x) + kmodld_host_double(x + 1); }

#include "assembled.h"

static word (*const parts[])(word) = {
    jump_table,
    computed_goto,
    weak_symbols,
    data_pointers,
    narrow,
    indexed,
    vectors,
    floating,
    calls,
    tail_call,
    conditional_tail_call,
    structures,
    blocks,
    sections,
    recursive,
    differences,
    host,
    assembled,
};
word S(count)(void) { return sizeof parts / sizeof parts[0]; }
word S(run)(word part, word x) { return parts[part](part == 14 ? x % 15 : x); }
