// SPDX-License-Identifier: MIT
// Built with -fpic: global variables and functions are reached through a GOT, which the loader
// makes. Linux refuses its relocation types; kmodld takes them where the Config allows.
#include <kmodld/module.h>

int pic_sample_counter = 100;
int pic_sample_table[4] = {1, 2, 3, 4};
int pic_sample_step(int i);
int pic_sample_sum(void);
extern int pic_sample_absent __attribute__((weak));
int pic_sample_has_absent(void);

// 101, 103, 106, 110 for i = 0, 1, 2, 3 in a row.
int pic_sample_step(int i) { return pic_sample_counter += pic_sample_table[i & 3]; }
int pic_sample_sum(void) {
  int (*volatile step)(int) = pic_sample_step;
  int sum = 0;
  for (int i = 0; i < 4; i++)
    sum += step(i);
  return sum;
}
int pic_sample_has_absent(void) { return &pic_sample_absent != NULL; }

EXPORT_SYMBOL(pic_sample_counter);
EXPORT_SYMBOL(pic_sample_has_absent);
EXPORT_SYMBOL(pic_sample_step);
EXPORT_SYMBOL(pic_sample_sum);

static int __init pic_sample_init(void) {
  printk(KERN_INFO "pic_sample: counter %d\n", pic_sample_counter);
  return 0;
}
static void __exit pic_sample_exit(void) {}

module_init(pic_sample_init);
module_exit(pic_sample_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Position independent code");
