// SPDX-License-Identifier: MIT
// For authors of modules, in C11 or C++20: writes the tables of a Linux 6.1 module (.modinfo,
// __param, __ksymtab, __kcrctab, __versions, .gnu.linkonce.this_module) straight into the object,
// so that one compiler call makes a .ko. It needs no Linux headers, and is one file so that it can
// be copied beside a module. Formats: what the loader of 6.1 reads (find_module_sections,
// parse_args, check_version).
//
// clang-format off
// Flags of gcc and clang. All: -O2 -c -ffreestanding -fno-pic -fno-stack-protector
//                              -fno-asynchronous-unwind-tables -I include hello.c -o hello.ko
//   x86_64:   -mcmodel=kernel -mno-red-zone -fcf-protection=none -mgeneral-regs-only
//   aarch64:  -mno-outline-atomics -mgeneral-regs-only
//   arm:      -msoft-float -mfloat-abi=soft       loongarch64, s390x, i386: -msoft-float
//   riscv:    -mcmodel=medany                     mips: -mno-abicalls -G0 -msoft-float
//   powerpc64: -msoft-float -mno-altivec -mno-vsx -mabi=elfv2         m68k: no more
//   C++:      -fno-exceptions -fno-rtti -fno-threadsafe-statics
//   Why: an interrupt on the same stack overwrites a red zone, kernels don't save vector registers,
//   distributions' compilers make PIE by default. -fpic is fine for a host that makes a GOT, but
//   then the compiler marks __param writable. C++ objects at file scope need a trivial destructor
//   (or -fno-use-cxa-atexit and a host that runs .fini_array).
//
// Defined before the first include, or by -D:
//   KMODLD_MODNAME      the name, without quotes. Default: the file's name without folder and
//                       suffix, '-' becomes '_' (a path with spaces, quotes or commas needs this
//                       macro). At most 55 characters (59 on 32-bit).
//   KMODLD_VERMAGIC     version magic, a string, compared by the host to the byte. Default:
//                       "kmodld ", the space included.
//   KMODLD_DEPENDS      modules it needs, a comma list in a string, for modprobe. Default: "".
//   KMODLD_MODVERSIONS  each EXPORT_SYMBOL also gives a CRC and each KMODLD_IMPORT demands it: the
//                       32-bit FNV-1a hash of the symbol's name.
//   KMODLD_MODULE_PART  this file is one of several for `ld -r`: no name, vermagic, depends, module
//                       structure. module_init and module_exit belong into the one without it.
//
// Tables stay in source order, as no linker script sorts them. Linux searches __ksymtab by
// bisection: for a real Linux write the exports of each table in strcmp order; kmodld needs none.
// C++: include standard headers first (some have a variable `__init`); exports must be extern "C",
// all else does not compile.
// clang-format on
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define KMODLD_C_ extern "C"
#define KMODLD_BEGIN_C_ extern "C" {
#define KMODLD_END_C_ }
#define KMODLD_ASSERT_(condition, text) static_assert(condition, text)
#define KMODLD_SAME_TYPE_(value, type) __is_same(decltype(value), type)
#define KMODLD_ELEMENT_SAME_TYPE_(array, type)                                                     \
  __is_same(decltype(array), type[sizeof(array) / sizeof((array)[0])])
#define KMODLD_REDECLARE_(symbol) extern "C" decltype(symbol) symbol
#else
#define KMODLD_C_ extern
#define KMODLD_BEGIN_C_
#define KMODLD_END_C_
#define KMODLD_ASSERT_(condition, text) _Static_assert(condition, text)
#define KMODLD_SAME_TYPE_(value, type) __builtin_types_compatible_p(__typeof__(value), type)
#define KMODLD_ELEMENT_SAME_TYPE_(array, type)                                                     \
  __builtin_types_compatible_p(__typeof__(array), type[])
#define KMODLD_REDECLARE_(symbol) extern __typeof__(symbol) symbol
#endif

// Sections that the loader grows, for PLT, GOT and stubs; Linux's come from its linker script.
#define KMODLD_GROWN_(name, flags)                                                                 \
  __asm__(".pushsection " name ",\"" flags "\",%progbits\n\t.byte 0\n\t.popsection")
#if defined(__aarch64__) || defined(__arm__)
KMODLD_GROWN_(".plt", "ax");
KMODLD_GROWN_(".init.plt", "ax");
#elif defined(__loongarch__)
KMODLD_GROWN_(".got", "aw");
KMODLD_GROWN_(".plt", "ax");
KMODLD_GROWN_(".plt.idx", "a");
#elif defined(__riscv)
KMODLD_GROWN_(".plt", "ax");
KMODLD_GROWN_(".got", "aw");
KMODLD_GROWN_(".got.plt", "aw");
#elif defined(__powerpc64__)
KMODLD_GROWN_(".stubs", "ax");
#endif

#define KMODLD_STRING__(...) #__VA_ARGS__
#define KMODLD_STRING_(...) KMODLD_STRING__(__VA_ARGS__)
#define KMODLD_JOIN__(a, b) a##b
#define KMODLD_JOIN_(a, b) KMODLD_JOIN__(a, b)

// GCC writes variables in any order otherwise; the order within a table is part of the format.
#if defined(__GNUC__) && !defined(__clang__)
#define KMODLD_IN_ORDER_ , __no_reorder__
#else
#define KMODLD_IN_ORDER_
#endif
#define KMODLD_TABLE_(name, align)                                                                 \
  __attribute__((__used__, __section__(name), __aligned__(align) KMODLD_IN_ORDER_))

#if __SIZEOF_POINTER__ == 8
#define KMODLD_WORD_ ".quad "
#define KMODLD_WORD_RELOC_ "BFD_RELOC_64"
#define KMODLD_WORD_SIZE_ "8"
#else
#define KMODLD_WORD_ ".long "
#define KMODLD_WORD_RELOC_ "BFD_RELOC_32"
#define KMODLD_WORD_SIZE_ "4"
#endif

// --- where things go ------------------------------------------------------------------------

// Only until init has returned / only when the module is unloaded / written by init and read-only
// afterwards.
#define __init __attribute__((__section__(".init.text"), __cold__))
#define __initdata __attribute__((__section__(".init.data")))
#define __initconst __attribute__((__section__(".init.rodata")))
#define __exit __attribute__((__section__(".exit.text"), __used__, __cold__))
#define __exitdata __attribute__((__section__(".exit.data")))
#define __ro_after_init __attribute__((__section__(".data..ro_after_init")))
#define __read_mostly __attribute__((__section__(".data..read_mostly")))

// --- .modinfo -------------------------------------------------------------------------------

// One string `tag=info`; tag is an identifier, info a string literal.
#define MODULE_INFO(tag, info)                                                                     \
  static const char KMODLD_JOIN_(__UNIQUE_ID_##tag, __COUNTER__)[] KMODLD_TABLE_(".modinfo", 1) =  \
      #tag "=" info

// GPL compatible are exactly: GPL, GPL v2, GPL and additional rights, Dual BSD/GPL, Dual MIT/GPL,
// Dual MPL/GPL.
#define MODULE_LICENSE(text) MODULE_INFO(license, text)
#define MODULE_AUTHOR(text) MODULE_INFO(author, text)
#define MODULE_DESCRIPTION(text) MODULE_INFO(description, text)
#define MODULE_VERSION(text) MODULE_INFO(version, text)
#define MODULE_ALIAS(text) MODULE_INFO(alias, text)
#define MODULE_SOFTDEP(text) MODULE_INFO(softdep, text)
// The namespace is an identifier, as in 6.1.
#define MODULE_IMPORT_NS(ns) MODULE_INFO(import_ns, #ns)
#define MODULE_PARM_DESC(name, text) MODULE_INFO(parm, #name ":" text)

// --- the module itself ----------------------------------------------------------------------

// Linux 6.1 of Debian: offsets of its struct module. Only a real Linux reads init and exit there
// (the 32-bit ones are made up); kmodld goes by the name of the relocations' symbols.
#if __SIZEOF_POINTER__ == 8
#define KMODLD_MODULE_SIZE_ "896"
#define KMODLD_MODULE_NAME_ "24"
#define KMODLD_MODULE_NAME_END_ "80"
#define KMODLD_MODULE_INIT_ "312"
#ifdef __aarch64__
#define KMODLD_MODULE_EXIT_ "832"
#else
#define KMODLD_MODULE_EXIT_ "848"
#endif
#else
#define KMODLD_MODULE_SIZE_ "512"
#define KMODLD_MODULE_NAME_ "12"
#define KMODLD_MODULE_NAME_END_ "72"
#define KMODLD_MODULE_INIT_ "256"
#define KMODLD_MODULE_EXIT_ "480"
#endif

struct module;

KMODLD_BEGIN_C_
extern struct module __this_module;
KMODLD_END_C_
#define THIS_MODULE (&__this_module)

#ifndef KMODLD_MODULE_PART

#ifndef KMODLD_VERMAGIC
#define KMODLD_VERMAGIC "kmodld "
#endif
#ifndef KMODLD_DEPENDS
#define KMODLD_DEPENDS ""
#endif
#ifdef KMODLD_MODNAME
#define KMODLD_NAME_SOURCE_ KMODLD_STRING_(KMODLD_MODNAME)
#else
#define KMODLD_NAME_SOURCE_ __BASE_FILE__
#endif

// Bytes of the base name: the first pass finds the last '/', the second stops at '.' and turns '-'
// into '_'. The two assemblers read a character differently, and Clang's lists the quotes as well.
// clang-format off
#ifdef __clang__
#define KMODLD_IF_CHAR_(character, code) "\t.if '\\c' == " code "\n"
#define KMODLD_EMIT_CHAR_ "\t.if '\\c' != 34\n\t.byte '\\c'\n\t.endif\n"
#else
#define KMODLD_IF_CHAR_(character, code) "\t.ifeqs \"\\c\", \"" character "\"\n"
#define KMODLD_EMIT_CHAR_ "\t.ascii \"\\c\"\n"
#endif
#define KMODLD_NAME_BYTES_                                                                       \
  "\t.set .Lkmodld_base, 0\n\t.set .Lkmodld_at, 0\n\t.set .Lkmodld_end, 0\n"                     \
  "\t.irpc c, " KMODLD_STRING_(KMODLD_NAME_SOURCE_) "\n"                                         \
  "\t.set .Lkmodld_at, .Lkmodld_at + 1\n"                                                        \
  KMODLD_IF_CHAR_("/", "47") "\t.set .Lkmodld_base, .Lkmodld_at\n\t.endif\n"                     \
  "\t.endr\n"                                                                                    \
  "\t.set .Lkmodld_at, 0\n"                                                                      \
  "\t.irpc c, " KMODLD_STRING_(KMODLD_NAME_SOURCE_) "\n"                                         \
  "\t.set .Lkmodld_at, .Lkmodld_at + 1\n"                                                        \
  "\t.if .Lkmodld_at > .Lkmodld_base\n"                                                          \
  KMODLD_IF_CHAR_(".", "46") "\t.set .Lkmodld_end, 1\n\t.endif\n"                                \
  "\t.if .Lkmodld_end == 0\n"                                                                    \
  KMODLD_IF_CHAR_("-", "45") "\t.byte 95\n\t.else\n" KMODLD_EMIT_CHAR_ "\t.endif\n"              \
  "\t.endif\n\t.endif\n"                                                                         \
  "\t.endr\n"                                                                                    \
  "\t.byte 0\n"
// clang-format on

__asm__("\t.pushsection .modinfo,\"a\",%progbits\n\t.ascii \"name=\"\n" KMODLD_NAME_BYTES_
        "\t.popsection\n");
MODULE_INFO(vermagic, KMODLD_VERMAGIC);
MODULE_INFO(depends, KMODLD_DEPENDS);

__asm__("\t.pushsection .gnu.linkonce.this_module,\"aw\",%progbits\n"
        "\t.balign 64\n"
        "\t.globl __this_module\n"
        "\t.type __this_module, %object\n"
        "\t.size __this_module, " KMODLD_MODULE_SIZE_ "\n"
        "__this_module:\n"
        "\t.org __this_module + " KMODLD_MODULE_NAME_ "\n" KMODLD_NAME_BYTES_
        "\t.org __this_module + " KMODLD_MODULE_NAME_END_ "\n"
        "\t.org __this_module + " KMODLD_MODULE_INIT_ "\n"
        ".Lkmodld_module_init: " KMODLD_WORD_ "0\n"
        "\t.org __this_module + " KMODLD_MODULE_EXIT_ "\n"
        ".Lkmodld_module_exit: " KMODLD_WORD_ "0\n"
        "\t.org __this_module + " KMODLD_MODULE_SIZE_ "\n"
        "\t.popsection\n");

#endif

// A pointer member stays zero, without a relocation, in a module that has no such function.
#define KMODLD_MODULE_POINTER_(label, symbol)                                                      \
  __asm__("\t.pushsection .gnu.linkonce.this_module,\"aw\",%progbits\n"                            \
          "\t.reloc " label ", " KMODLD_WORD_RELOC_ ", " symbol "\n"                               \
          "\t.popsection\n")

// module_init(fn): int fn(void), 0 or a negative errno. module_exit(fn): void fn(void); a module
// without it stays for ever. C makes init_module and cleanup_module second names of fn; C++ cannot
// name the mangled fn, so they call it.
#ifdef __cplusplus
#define module_init(fn)                                                                            \
  extern "C" __init int init_module(void) { return fn(); }                                         \
  KMODLD_MODULE_POINTER_(".Lkmodld_module_init", "init_module")
#define module_exit(fn)                                                                            \
  extern "C" __exit void cleanup_module(void) { fn(); }                                            \
  KMODLD_MODULE_POINTER_(".Lkmodld_module_exit", "cleanup_module")
#else
#if defined(__GNUC__) && !defined(__clang__)
#define KMODLD_COPY_(fn) , __copy__(fn)
#else
#define KMODLD_COPY_(fn)
#endif
#define module_init(fn)                                                                            \
  int init_module(void) __attribute__((__alias__(#fn) KMODLD_COPY_(fn)));                          \
  KMODLD_ASSERT_(KMODLD_SAME_TYPE_(&fn, int (*)(void)), "module_init needs int " #fn "(void)");    \
  KMODLD_MODULE_POINTER_(".Lkmodld_module_init", "init_module")
#define module_exit(fn)                                                                            \
  void cleanup_module(void) __attribute__((__alias__(#fn) KMODLD_COPY_(fn)));                      \
  KMODLD_ASSERT_(KMODLD_SAME_TYPE_(&fn, void (*)(void)), "module_exit needs void " #fn "(void)");  \
  KMODLD_MODULE_POINTER_(".Lkmodld_module_exit", "cleanup_module")
#endif

// --- messages -------------------------------------------------------------------------------

KMODLD_C_ int _printk(const char* format, ...) __attribute__((__format__(__printf__, 1, 2)));

// The host's exported name is _printk; a message begins with its level.
#define printk(...) _printk(__VA_ARGS__)
#define KERN_SOH "\001"
#define KERN_EMERG KERN_SOH "0"
#define KERN_ALERT KERN_SOH "1"
#define KERN_CRIT KERN_SOH "2"
#define KERN_ERR KERN_SOH "3"
#define KERN_WARNING KERN_SOH "4"
#define KERN_NOTICE KERN_SOH "5"
#define KERN_INFO KERN_SOH "6"
#define KERN_DEBUG KERN_SOH "7"
#define KERN_CONT KERN_SOH "c"

// Define it before the include to prefix every pr_ message.
#ifndef pr_fmt
#define pr_fmt(format) format
#endif
#define KMODLD_PR_(level, format, ...) _printk(level pr_fmt(format), ##__VA_ARGS__)
#define pr_emerg(...) KMODLD_PR_(KERN_EMERG, __VA_ARGS__)
#define pr_alert(...) KMODLD_PR_(KERN_ALERT, __VA_ARGS__)
#define pr_crit(...) KMODLD_PR_(KERN_CRIT, __VA_ARGS__)
#define pr_err(...) KMODLD_PR_(KERN_ERR, __VA_ARGS__)
#define pr_warn(...) KMODLD_PR_(KERN_WARNING, __VA_ARGS__)
#define pr_notice(...) KMODLD_PR_(KERN_NOTICE, __VA_ARGS__)
#define pr_info(...) KMODLD_PR_(KERN_INFO, __VA_ARGS__)
#define pr_cont(...) KMODLD_PR_(KERN_CONT, __VA_ARGS__)
#define pr_debug(...) KMODLD_PR_(KERN_DEBUG, __VA_ARGS__)

// --- exports and imports --------------------------------------------------------------------

// Entries are three offsets, each relative to itself, where Linux has PREL32, else three pointers:
// value, name, namespace.
// clang-format off
#if defined(__x86_64__) || defined(__i386__) || defined(__aarch64__)
#define KMODLD_KSYMTAB_ALIGN_ "4"
#define KMODLD_KSYMTAB_REF_(symbol) "\t.long " symbol " - .\n"
#else
#define KMODLD_KSYMTAB_ALIGN_ KMODLD_WORD_SIZE_
#define KMODLD_KSYMTAB_REF_(symbol) "\t" KMODLD_WORD_ symbol "\n"
#endif

#define KMODLD_KSYMTAB_(name, table, ns)                                                         \
  "\t.pushsection __ksymtab_strings,\"aMS\",%progbits,1\n"                                       \
  "__kstrtab_" name ":\n\t.asciz \"" name "\"\n"                                                 \
  "__kstrtabns_" name ":\n\t.asciz \"" ns "\"\n"                                                 \
  "\t.popsection\n"                                                                              \
  "\t.pushsection __ksymtab" table ",\"a\",%progbits\n"                                          \
  "\t.balign " KMODLD_KSYMTAB_ALIGN_ "\n"                                                        \
  "__ksymtab_" name ":\n"                                                                        \
  KMODLD_KSYMTAB_REF_(name) KMODLD_KSYMTAB_REF_("__kstrtab_" name)                               \
  KMODLD_KSYMTAB_REF_("__kstrtabns_" name)                                                       \
  "\t.popsection\n"

#define KMODLD_KCRCTAB_(name, table, prepare, crc)                                               \
  prepare                                                                                        \
  "\t.pushsection __kcrctab" table ",\"a\",%progbits\n\t.balign 4\n"                             \
  "__crc_" name ":\n\t.long " crc "\n"                                                           \
  "\t.popsection\n"

// FNV-1a, 32 bits, left in .Lkmodld_hash. A character's code is looked up by a symbol's name, which
// both assemblers can do.
#define KMODLD_HASH_(name)                                                                       \
  "\t.set .Lkmodld_hash, 0x811c9dc5\n"                                                           \
  "\t.irpc c, " name "\n"                                                                        \
  "\t.set .Lkmodld_hash, ((.Lkmodld_hash ^ .Lkmodld_code_\\c) * 0x01000193) & 0xffffffff\n"      \
  "\t.endr\n"
#define KMODLD_CODES_(first, characters)                                                         \
  "\t.set .Lkmodld_at, " first "\n"                                                              \
  "\t.irpc c, " characters "\n"                                                                  \
  "\t.set .Lkmodld_code_\\c, .Lkmodld_at\n\t.set .Lkmodld_at, .Lkmodld_at + 1\n"                 \
  "\t.endr\n"
#ifdef KMODLD_MODVERSIONS
__asm__(KMODLD_CODES_("48", "0123456789") KMODLD_CODES_("65", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        KMODLD_CODES_("95", "_") KMODLD_CODES_("97", "abcdefghijklmnopqrstuvwxyz"));
#endif
// clang-format on

// A CRC table is parallel to its export table: either every export of a file has a CRC or none. Two
// declarations of one name with different types make the compiler refuse a mixture.
#define KMODLD_WITH_CRC_                                                                           \
  KMODLD_REDECLARE_NAMED_(kmodld_all_exports_of_a_file_need_a_crc_or_none, int);
#define KMODLD_WITHOUT_CRC_                                                                        \
  KMODLD_REDECLARE_NAMED_(kmodld_all_exports_of_a_file_need_a_crc_or_none, char);
#define KMODLD_REDECLARE_NAMED_(name, type) KMODLD_C_ type name

#define KMODLD_EXPORT_CRC_(symbol, name, table, ns, crc)                                           \
  KMODLD_WITH_CRC_ KMODLD_REDECLARE_(symbol);                                                      \
  __asm__(KMODLD_KSYMTAB_(name, table, ns) KMODLD_KCRCTAB_(name, table, "", crc))

#ifdef KMODLD_MODVERSIONS
#define KMODLD_EXPORT_(symbol, name, table, ns)                                                    \
  KMODLD_WITH_CRC_ KMODLD_REDECLARE_(symbol);                                                      \
  __asm__(KMODLD_KSYMTAB_(name, table, ns)                                                         \
              KMODLD_KCRCTAB_(name, table, KMODLD_HASH_(name), ".Lkmodld_hash"))
#else
#define KMODLD_EXPORT_(symbol, name, table, ns)                                                    \
  KMODLD_WITHOUT_CRC_ KMODLD_REDECLARE_(symbol);                                                   \
  __asm__(KMODLD_KSYMTAB_(name, table, ns))
#endif

// The symbol is declared before, has external linkage, and in C++ the language linkage "C". The
// namespace is an identifier.
#define EXPORT_SYMBOL(symbol) KMODLD_EXPORT_(symbol, #symbol, "", "")
#define EXPORT_SYMBOL_GPL(symbol) KMODLD_EXPORT_(symbol, #symbol, "_gpl", "")
#define EXPORT_SYMBOL_NS(symbol, ns) KMODLD_EXPORT_(symbol, #symbol, "", #ns)
#define EXPORT_SYMBOL_NS_GPL(symbol, ns) KMODLD_EXPORT_(symbol, #symbol, "_gpl", #ns)

// The same with a CRC of your own, a plain 32-bit number.
#define EXPORT_SYMBOL_CRC(symbol, crc) KMODLD_EXPORT_CRC_(symbol, #symbol, "", "", #crc)
#define EXPORT_SYMBOL_GPL_CRC(symbol, crc) KMODLD_EXPORT_CRC_(symbol, #symbol, "_gpl", "", #crc)
#define EXPORT_SYMBOL_NS_CRC(symbol, ns, crc) KMODLD_EXPORT_CRC_(symbol, #symbol, "", #ns, #crc)
#define EXPORT_SYMBOL_NS_GPL_CRC(symbol, ns, crc)                                                  \
  KMODLD_EXPORT_CRC_(symbol, #symbol, "_gpl", #ns, #crc)

// An entry of __versions, 64 bytes: the CRC that the exporter of the symbol must have. A host with
// CRCs wants one for every symbol that the module uses, and for `module_layout`.
#define KMODLD_VERSION_(name, prepare, crc)                                                        \
  __asm__(prepare "\t.pushsection __versions,\"a\",%progbits\n"                                    \
                  "\t.balign 32\n"                                                                 \
                  "__kmodld_version_" name ":\n"                                                   \
                  "\t" KMODLD_WORD_ crc "\n\t.asciz \"" name "\"\n"                                \
                  "\t.org __kmodld_version_" name " + 64\n"                                        \
                  "\t.popsection\n")
#define KMODLD_IMPORT_CRC(symbol, crc) KMODLD_VERSION_(#symbol, "", #crc)

// With KMODLD_MODVERSIONS: the hash that an EXPORT_SYMBOL compiled so has; without: nothing.
#ifdef KMODLD_MODVERSIONS
#define KMODLD_IMPORT(symbol) KMODLD_VERSION_(#symbol, KMODLD_HASH_(#symbol), ".Lkmodld_hash")
#else
#define KMODLD_IMPORT(symbol) KMODLD_ASSERT_(sizeof(#symbol) > 1, "a name")
#endif

// --- parameters -----------------------------------------------------------------------------

struct kernel_param;

// How a parameter is set from text and printed; set and get return 0 or a length, or a negative
// errno.
struct kernel_param_ops {
  unsigned int flags; // 1: may stand without a value
  int (*set)(const char* value, const struct kernel_param* param);
  int (*get)(char* buffer, const struct kernel_param* param); // at most 4096 bytes
  void (*free)(void* arg);
};

struct kparam_string {
  unsigned int maxlen; // with the final NUL
  char* string;
};

struct kparam_array {
  unsigned int max;
  unsigned int elemsize;
  unsigned int* num; // how many were given; may be null
  const struct kernel_param_ops* ops;
  void* elem;
};

struct kernel_param {
  const char* name;
  struct module* mod;
  const struct kernel_param_ops* ops;
  uint16_t perm; // of the file in /sys/module/NAME/parameters; 0: no file
  int8_t level;
  uint8_t flags; // 1: unsafe, setting it taints the kernel
  void* arg;     // the variable, a struct kparam_string or a struct kparam_array
};
KMODLD_ASSERT_(sizeof(struct kernel_param) == (sizeof(void*) == 8 ? 40 : 20),
               "layout of Linux 6.1");

KMODLD_BEGIN_C_
extern const struct kernel_param_ops param_ops_byte, param_ops_short, param_ops_ushort,
    param_ops_int, param_ops_uint, param_ops_long, param_ops_ulong, param_ops_ullong,
    param_ops_hexint, param_ops_charp, param_ops_bool, param_ops_invbool, param_ops_bint,
    param_ops_bool_enable_only, param_ops_string, param_array_ops;
KMODLD_END_C_

// The C type of each parameter type. A type of your own needs such a typedef and param_ops_TYPE.
typedef unsigned char kmodld_param_byte;
typedef short kmodld_param_short;
typedef unsigned short kmodld_param_ushort;
typedef int kmodld_param_int;
typedef unsigned int kmodld_param_uint;
typedef long kmodld_param_long;
typedef unsigned long kmodld_param_ulong;
typedef unsigned long long kmodld_param_ullong;
typedef unsigned int kmodld_param_hexint;
typedef char* kmodld_param_charp;
typedef bool kmodld_param_bool;
typedef bool kmodld_param_invbool;
typedef int kmodld_param_bint;
typedef bool kmodld_param_bool_enable_only;

// Names and types are pasted or quoted in the outermost macro, as <stdbool.h> makes a macro of
// bool; id is the name behind a '_'.
#define KMODLD_PARAM_(id, name, ops_address, arg_address, perm, flags)                             \
  KMODLD_ASSERT_((perm) >= 0 && (perm) <= 0777 && ((perm) & 2) == 0, "mode of parameter " name);   \
  static const char __param_str##id[] = name;                                                      \
  static const struct kernel_param __param##id KMODLD_TABLE_("__param", sizeof(void*)) = {         \
      __param_str##id, THIS_MODULE, ops_address, perm, -1, flags, (void*)(arg_address)}

#define KMODLD_PARAM_VALUE_(id, name, value, ops, ctype, type, perm, flags)                        \
  KMODLD_ASSERT_(KMODLD_SAME_TYPE_(value, ctype), "type of parameter " name);                      \
  KMODLD_PARAM_(id, name, &ops, &(value), perm, flags);                                            \
  MODULE_INFO(parmtype, name ":" type)

#define KMODLD_PARAM_ARRAY_(id, name, array, count, element_ops, ctype, type, perm)                \
  KMODLD_ASSERT_(KMODLD_ELEMENT_SAME_TYPE_(array, ctype), "type of parameter " name);              \
  static const struct kparam_array __param_arr##id = {                                             \
      sizeof(array) / sizeof((array)[0]), sizeof((array)[0]), count, &element_ops, array};         \
  KMODLD_PARAM_(id, name, &param_array_ops, &__param_arr##id, perm, 0);                            \
  MODULE_INFO(parmtype, name ":array of " type)

// type: byte short ushort int uint long ulong ullong hexint charp bool invbool bint
// bool_enable_only. perm: mode bits, e.g. 0644.
#define module_param(name, type, perm)                                                             \
  KMODLD_PARAM_VALUE_(_##name, #name, name, param_ops_##type, kmodld_param_##type, #type, perm, 0)
#define module_param_named(name, value, type, perm)                                                \
  KMODLD_PARAM_VALUE_(_##name, #name, value, param_ops_##type, kmodld_param_##type, #type, perm, 0)
#define module_param_unsafe(name, type, perm)                                                      \
  KMODLD_PARAM_VALUE_(_##name, #name, name, param_ops_##type, kmodld_param_##type, #type, perm, 1)
#define module_param_named_unsafe(name, value, type, perm)                                         \
  KMODLD_PARAM_VALUE_(_##name, #name, value, param_ops_##type, kmodld_param_##type, #type, perm, 1)

// count: address of an unsigned int that gets the number of elements given, or NULL.
#define module_param_array(name, type, count, perm)                                                \
  KMODLD_PARAM_ARRAY_(_##name, #name, name, count, param_ops_##type, kmodld_param_##type, #type,   \
                      perm)
#define module_param_array_named(name, array, type, count, perm)                                   \
  KMODLD_PARAM_ARRAY_(_##name, #name, array, count, param_ops_##type, kmodld_param_##type, #type,  \
                      perm)

// Text is copied into `buffer`, a char array of `length` bytes, the final NUL included.
#define module_param_string(name, buffer, length, perm)                                            \
  static const struct kparam_string __param_string_##name = {length, buffer};                      \
  KMODLD_PARAM_(_##name, #name, &param_ops_string, &__param_string_##name, perm, 0);               \
  MODULE_INFO(parmtype, #name ":string")

// With operations of your own.
#define module_param_cb(name, operations, arg, perm)                                               \
  KMODLD_PARAM_(_##name, #name, operations, arg, perm, 0)
