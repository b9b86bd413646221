/* SPDX-License-Identifier: MIT */
/*
 * extable.h - entries of the exception table: where execution goes on when an instruction, or any of several in a row, faults and
 * the fault cannot be resolved. Three 32-bit numbers: the distance from the field to the first instruction, the bytes
 * that count (1 is enough for a single one), and the distance from the field to the fix-up.
 */
#pragma once

#ifdef __ASSEMBLY__
/* clang-format off */
.macro ex_entry from:req, size:req, fixup:req
	.pushsection .ex_table, "a"
	.balign	4
	.long	\from - .
	.long	\size
	.long	\fixup - .
	.popsection
.endm

/* An instruction that continues at `fixup` when it faults. */
.macro may_fault fixup:req, insn:vararg
9990:	\insn
	ex_entry 9990b, 1, \fixup
.endm
/* clang-format on */
#else
/* The same for inline assembly; both are strings: labels, or operands for labels. */
#define EX_ENTRY(from, fixup)             \
	".pushsection .ex_table, \"a\"\n" \
	".balign 4\n"                     \
	".long " from " - .\n"            \
	".long 1\n"                       \
	".long " fixup " - .\n"           \
	".popsection\n"
#endif
