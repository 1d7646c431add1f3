// SPDX-License-Identifier: MIT
// The smallest useful module, with a parameter of every standard type. hello_value(i) answers the
// i-th number given, so that a test sees what parse_args wrote where.
#define pr_fmt(format) "hello: " format
#include <kmodld/module.h>

static unsigned char a_byte = 1;
static short a_short = -2;
static unsigned short a_ushort = 3;
static int an_int = -4;
static unsigned int a_uint = 5;
static long a_long = -6;
static unsigned long a_ulong = 7;
static unsigned long long a_ullong = 8;
static unsigned int a_hexint = 0x9;
static bool a_bool = true;
static bool an_invbool;
static int a_bint = 1;
static char* whom = "world";
static int numbers[4] = {10, 20, 30, 40};
static unsigned int numbers_given;
static char label[16] = "none";
static int risk;

module_param_named(byte, a_byte, byte, 0644);
module_param_named(short, a_short, short, 0644);
module_param_named(ushort, a_ushort, ushort, 0644);
module_param_named(int, an_int, int, 0644);
module_param_named(uint, a_uint, uint, 0644);
module_param_named(long, a_long, long, 0644);
module_param_named(ulong, a_ulong, ulong, 0644);
module_param_named(ullong, a_ullong, ullong, 0644);
module_param_named(hexint, a_hexint, hexint, 0644);
module_param_named(bool, a_bool, bool, 0644);
module_param_named(invbool, an_invbool, invbool, 0644);
module_param_named(bint, a_bint, bint, 0644);
module_param(whom, charp, 0644);
MODULE_PARM_DESC(whom, "whom to greet");
module_param_array(numbers, int, &numbers_given, 0644);
MODULE_PARM_DESC(numbers, "up to four numbers");
module_param_string(label, label, sizeof(label), 0444);
module_param_unsafe(risk, int, 0600);

static long text_sum(const char* text) {
  long sum = 0;
  while (*text != '\0')
    sum = sum * 31 + (unsigned char)*text++;
  return sum;
}

// The i-th parameter in the order above (0 byte ... 11 bint); 12 the hash of whom, 13 how many
// numbers were given, 14..17 the numbers, 18 the hash of label, 19 risk; -1 beyond. hash = hash *
// 31 + char.
long hello_value(unsigned int i) {
  switch (i) {
  case 0: return a_byte;
  case 1: return a_short;
  case 2: return a_ushort;
  case 3: return an_int;
  case 4: return (long)a_uint;
  case 5: return a_long;
  case 6: return (long)a_ulong;
  case 7: return (long)a_ullong;
  case 8: return (long)a_hexint;
  case 9: return a_bool;
  case 10: return an_invbool;
  case 11: return a_bint;
  case 12: return text_sum(whom);
  case 13: return (long)numbers_given;
  case 14:
  case 15:
  case 16:
  case 17: return numbers[i - 14];
  case 18: return text_sum(label);
  case 19: return risk;
  default: return -1;
  }
}
EXPORT_SYMBOL(hello_value);

static int __init hello_init(void) {
  pr_info("hello, %s (int=%d, label=%s)\n", whom, an_int, label);
  return 0;
}

static void __exit hello_exit(void) { pr_info("goodbye, %s\n", whom); }

module_init(hello_init);
module_exit(hello_exit);
MODULE_LICENSE("Dual MIT/GPL");
MODULE_AUTHOR("The kmodld project");
MODULE_DESCRIPTION("Greets, and has a parameter of every type");
MODULE_VERSION("1.0");
MODULE_ALIAS("greeting");
