/* SPDX-License-Identifier: MIT */
/* cache.h - nobody fetches instructions from simulated memory; how often it was made ready is counted. */
#pragma once

#include <quire/types.h>

extern u64 sim_icache_syncs; /* sim_mmu.c */

static inline void arch_icache_sync(const void *va, size_t len)
{
	(void)va;
	(void)len;
	__atomic_fetch_add(&sim_icache_syncs, 1, __ATOMIC_RELAXED);
}
