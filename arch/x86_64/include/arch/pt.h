/* SPDX-License-Identifier: MIT */
/* pt.h - the parts of page-table access that are x86_64's own. */
#pragma once

#include "mm/pt/entry.h"

/* arch_pt_publish - make earlier stores visible to the table walkers of all CPUs. */
static inline void arch_pt_publish(void)
{
	/* Stores are seen by the walker in order; nothing to wait for. */
}

/* arch_pt_leaf_levels - the levels at which this machine can map. 1 GiB leaves are a CPU feature (CPUID
 * 80000001h EDX bit 26). */
static inline unsigned arch_pt_leaf_levels(void)
{
	u32 eax = 0x80000001, ebx, ecx = 0, edx;

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return edx & BIT(26) ? PT_LEAF_LEVELS : PT_LEAF_LEVELS & 0x3;
}
