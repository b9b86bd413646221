/* SPDX-License-Identifier: MIT */
/*
 * sim_mmu.c - the rest of a simulated machine that mm/pt wants: address spaces without hardware, and
 * flushes that are reported to whoever simulates a TLB (sim_flush).
 */
#include <arch/as.h>
#include <arch/cache.h>
#include <arch/tlb.h>
#include "kernel/trace.h"
#include "tests/host/sim.h"

void (*sim_flush)(struct aspace *, vaddr_t lo, vaddr_t hi);
unsigned sim_flush_level;
u64 sim_icache_syncs;

int arch_as_init(struct aspace *as)
{
	(void)as;
	return 0;
}

void arch_as_destroy(struct aspace *as)
{
	(void)as;
}

void arch_tlb_flush_range(struct aspace *as, vaddr_t lo, vaddr_t hi, unsigned level, bool tables)
{
	(void)tables;
	if (!sim_flush)
		return;
	sim_flush_level = level;
	sim_flush(as, lo, hi);
}

void arch_tlb_flush_local(vaddr_t va)
{
	if (sim_flush)
		sim_flush(NULL, va, va + PAGE_SIZE);
}

void trace(enum trace_kind kind, u64 a, u64 b, u64 c, u64 d)
{
	(void)kind, (void)a, (void)b, (void)c, (void)d;
}
