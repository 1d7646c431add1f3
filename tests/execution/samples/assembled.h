// SPDX-License-Identifier: MIT
// References that assembler programmers write and compilers do not: conditional branches to another
// section, addresses put together from parts. branches(x) is 9 for even x, else 7; reach() reads
// the first own word by its address.
#pragma once

// A larger one is a relocation of its own on RISC-V, which loaders refuse.
#ifdef __riscv
#define ALIGNED "2"
#else
#define ALIGNED "8"
#endif
#define FUNCTION(section, name)                                                                    \
  "\t.pushsection " section ",\"ax\",%progbits\n\t.globl " SYMBOL(                                 \
      name) "\n\t.balign " ALIGNED "\n\t.type " SYMBOL(name) ", %function\n" SYMBOL(name) ":\n"
#define END "\t.popsection\n"
#define BRANCHES FUNCTION(".text.assembled", branches)
#define EVEN FUNCTION(".text.beside", even)
#define REACH FUNCTION(".text.assembled", reach)
#define TARGET SYMBOL(reached)

word S(reached)[2] = {0x600d, 1};

#if defined(__aarch64__)
#define ASSEMBLED
__asm__(BRANCHES "\ttbz w0, #0, " SYMBOL(even) "\n\tcbz wzr, " SYMBOL(odd) "\n\tb.ne " SYMBOL(
    even) "\n" END);
__asm__(EVEN "\tmov w0, #9\n\tret\n" END);
__asm__(FUNCTION(".text.beside", odd) "\tmov w0, #7\n\tret\n" END);
__asm__(REACH "1:\tmovz x1, #:prel_g3:" TARGET "\n\tmovk x1, #:prel_g2_nc:" TARGET " + 4\n"
              "\tmovk x1, #:prel_g1_nc:" TARGET " + 8\n\tmovk x1, #:prel_g0_nc:" TARGET " + 12\n"
              "\tadr x2, 1b\n\tldr w0, [x1, x2]\n\tret\n" END);
#elif defined(__s390x__)
#define ASSEMBLED
__asm__(BRANCHES "\ttmll %r2, 1\n\tjz " SYMBOL(even) "\n\tlghi %r2, 7\n\tbr %r14\n" END);
__asm__(EVEN "\tlghi %r2, 9\n\tbr %r14\n" END);
#ifdef __clang__
__asm__(REACH "\tlgrl %r1, " TARGET "@GOT\n\tllgf %r2, 0(%r1)\n\tbr %r14\n" END);
#else
__asm__(REACH "\tlarl %r1, _GLOBAL_OFFSET_TABLE_\n\tlg %r1, " TARGET
              "@GOT(%r1)\n\tllgf %r2, 0(%r1)\n\tbr %r14\n" END);
#endif
#elif defined(__powerpc64__)
#define ASSEMBLED
__asm__(BRANCHES "\tandi. 4, 3, 1\n\tbeq " SYMBOL(even) "\n\tli 3, 7\n\tblr\n" END);
__asm__(EVEN "\tli 3, 9\n\tblr\n" END);
__asm__(REACH "\tlis 4, " TARGET "@highest\n\tori 4, 4, " TARGET
              "@higher\n\tsldi 4, 4, 32\n\toris 4, 4, " TARGET "@high\n\tori 4, 4, " TARGET
              "@l\n\tlwz 3, 0(4)\n\tblr\n" END);
#elif defined(__loongarch__)
#define ASSEMBLED
__asm__(BRANCHES "\tandi $a1, $a0, 1\n\tbeqz $a1, " SYMBOL(
    even) "\n\tli.w $a0, 7\n\tbeq $zero, $a0, " SYMBOL(even) "\n\tjr $ra\n" END);
__asm__(EVEN "\tli.w $a0, 9\n\tjr $ra\n" END);
__asm__(REACH "\tlu12i.w $a1, %abs_hi20(" TARGET ")\n\tori $a1, $a1, %abs_lo12(" TARGET
              ")\n\tlu32i.d $a1, %abs64_lo20(" TARGET ")\n\tlu52i.d $a1, $a1, %abs64_hi12(" TARGET
              ")\n\tld.wu $a0, $a1, 0\n\tjr $ra\n" END);
#elif defined(__m68k__)
#define ASSEMBLED
__asm__(BRANCHES "\tmove.l 4(%sp), %d0\n\tlsr.l #1, %d0\n\tbcc.w " SYMBOL(even) "\n\tbsr.w " SYMBOL(
    odd) "@PLTPC\n\trts\n" END);
__asm__(EVEN "\tmoveq #9, %d0\n\trts\n" END);
__asm__(FUNCTION(".text.beside", odd) "\tmoveq #7, %d0\n\trts\n" END);
__asm__(REACH
        "\tlea 1f(%pc), %a0\n\tadd.l 1f(%pc), %a0\n\tmove.l (%a0), %d0\n\trts\n1:\t.long " TARGET
        " - .\n" END);
#elif defined(__riscv)
#define ASSEMBLED
__asm__(BRANCHES
        "\tandi a1, a0, 1\n\tbnez a1, 1f\n\tjal zero, " SYMBOL(even) "\n1:\tli a0, 7\n\tret\n" END);
__asm__(EVEN "\tli a0, 9\n\tret\n" END);
__asm__(REACH "1:\tauipc a1, %pcrel_hi(" TARGET ")\n\tlw a0, %pcrel_lo(1b)(a1)\n\tret\n" END);
#endif

#ifdef ASSEMBLED
word S(branches)(word x);
word S(reach)(void);
NOINLINE static word assembled(word x) {
  return S(branches)(x) * 3 + S(branches)(x + 1) + S(reach)() + S(reached)[1] * x;
}
#else
NOINLINE static word assembled(word x) { return x; }
#endif
