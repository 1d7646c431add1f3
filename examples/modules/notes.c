// SPDX-License-Identifier: MIT
// Sections without init and exit: ELF notes, data of every kind, a weak symbol nobody has. Linux
// shows the notes under /sys/module/notes/notes.
#include <kmodld/module.h>

__asm__("\t.pushsection .note.kmodld,\"a\",%note\n"
        "\t.balign 4\n"
        "\t.long 7, 4, 1\n"
        "\t.asciz \"kmodld\"\n"
        "\t.balign 4\n"
        "\t.long 0x6b6d6f64\n"
        "\t.popsection\n");

static const char fixed[] = "constant";
static int changing = 7;
static int zeroes[1024];
extern int nobody_has_this __attribute__((weak));

int notes_has_weak(void);
long notes_probe(unsigned int i);

int notes_has_weak(void) { return &nobody_has_this != NULL; }

// Adds i to data and bss and answers data + bss + a constant character: 7 + 0 + 'c' = 106 at first.
long notes_probe(unsigned int i) {
  changing += (int)i;
  zeroes[i & 1023] += (int)i;
  return (long)changing + zeroes[i & 1023] + fixed[i & 7];
}
EXPORT_SYMBOL(notes_has_weak);
EXPORT_SYMBOL(notes_probe);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Notes, data, no init");
MODULE_INFO(intree, "Y");
