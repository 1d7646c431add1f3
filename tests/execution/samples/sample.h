// SPDX-License-Identifier: MIT
// Two objects that use each other the way modules do: provider.c is loaded first, consumer.c calls
// it and looks at its data. The test program has both linked in under other names (PREFIX), and
// whatever a part answers must be the same there. No result may depend on addresses, nor on 64-bit
// helpers of a compiler's library.
#pragma once

#ifndef PREFIX
#define PREFIX module_
#endif
#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define S(name) JOIN(PREFIX, name)
#define TEXT2(s) #s
#define TEXT(s) TEXT2(s)
#define SYMBOL(name) TEXT(S(name)) // as the assembler has it

typedef unsigned char byte;
typedef unsigned short half;
typedef unsigned int word;
typedef unsigned long long wide;
typedef __UINTPTR_TYPE__ uptr;

#define NOINLINE __attribute__((__noinline__, __noclone__))
#ifdef __clang__
#undef NOINLINE
#define NOINLINE __attribute__((__noinline__))
#endif
// Keeps the compiler from knowing a value.
#define HIDE(x) __asm__("" : "+r"(x))

struct record {
  byte a;
  half b;
  word c;
  wide d;
  const char* name;
};

// provider.c
word S(add)(word a, word b);
word S(mix)(word a, word b, word c, word d, word e, word f, word g, word h, word i, word j);
word S(apply)(word (*f)(word), word x);
wide S(spread)(word x);
word S(sum)(word count, ...);
word (*S(choose)(word n))(word, word);
extern byte S(bytes)[300];
extern half S(halves)[300];
extern word S(words)[3000];
extern wide S(wides)[300];
extern struct record S(records)[4];
extern const struct record* const S(record_list)[4];
extern word S(counter);
extern const char S(text)[];

// consumer.c
word S(run)(word part, word x);
word S(count)(void);

// Sections that Linux's linker script gives every module, to be grown by the loader.
#ifdef LINUX_SECTIONS
#define SECTION(name, flags)                                                                       \
  __asm__("\t.pushsection " name ",\"" flags "\",%progbits\n\t.byte 0\n\t.popsection\n");
#if defined(__aarch64__) || defined(__arm__)
SECTION(".plt", "ax")
SECTION(".init.plt", "ax")
#elif defined(__riscv)
SECTION(".plt", "ax")
SECTION(".got", "aw")
SECTION(".got.plt", "aw")
#elif defined(__loongarch__)
SECTION(".plt", "ax")
SECTION(".plt.idx", "aw")
SECTION(".got", "aw")
#endif
#endif
