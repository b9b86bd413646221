/* SPDX-License-Identifier: MIT */
/*
 * pt.h - page-table entries of a simulated MMU: the real codec of the architecture under test
 * (arch/pte.h comes from -Iarch/<arch>/include), plain atomic memory.
 */
#pragma once

#include "mm/pt/entry.h"

static inline void arch_pt_publish(void)
{
}

static inline unsigned arch_pt_leaf_levels(void)
{
	return PT_LEAF_LEVELS;
}
