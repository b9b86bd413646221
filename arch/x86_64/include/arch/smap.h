/* SPDX-License-Identifier: MIT */
/*
 * smap.h - supervisor-mode access prevention: kernel code faults on user pages unless RFLAGS.AC is set.
 *
 * STAC and CLAC do not exist on older CPUs, so the assembler places no-ops of their length and lists
 * them; start.c replaces them when the CPU has the feature. Private to arch/x86_64.
 */
#pragma once

#ifdef __ASSEMBLY__
/* clang-format off */
.macro smap_site opcode
771:	.byte	0x0f, 0x1f, 0x00		/* nopl (%rax) */
	.pushsection .smap_sites, "a"
	.balign	4
	.long	771b - ., \opcode
	.popsection
.endm
#define USER_ACCESS_BEGIN smap_site 0xcb	/* stac */
#define USER_ACCESS_END	  smap_site 0xca	/* clac */
/* clang-format on */
#else
#include <quire/types.h>

#define CPUID7_EBX_SMAP (1u << 20)

struct smap_site {
	s32 insn; /* distance from this field */
	u32 opcode;
};

extern const struct smap_site smap_sites_start[], smap_sites_end[];
#endif
