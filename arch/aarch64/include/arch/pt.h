/* SPDX-License-Identifier: MIT */
/* pt.h - the parts of page-table access that are aarch64's own. */
#pragma once

#include "mm/pt/entry.h"

/* arch_pt_publish - make earlier stores visible to the table walkers of all CPUs. */
static inline void arch_pt_publish(void)
{
	__asm__ volatile("dsb ishst\n\tisb" ::: "memory");
}

/* arch_pt_leaf_levels - the levels at which this machine can map: all of them with a 4 KiB granule. */
static inline unsigned arch_pt_leaf_levels(void)
{
	return PT_LEAF_LEVELS;
}
