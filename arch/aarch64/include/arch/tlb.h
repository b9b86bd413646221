/* SPDX-License-Identifier: MIT */
/*
 * tlb.h - forgetting translations. For mm/pt alone.
 *
 * Each call orders earlier stores to page tables before the flush. The hardware broadcasts flushes; a
 * space that only ever ran on this CPU is flushed here alone, which is much cheaper.
 */
#pragma once

#include <quire/types.h>

struct aspace;

/* arch_tlb_flush_range - translations of [lo, hi) of a space, complete on all CPUs on return.
 *  stride_level:  no leaf in the range was smaller than this level (0: 4 KiB, 1: 2 MiB, 2: 1 GiB)
 *  tables_freed:  table nodes of the range go too: forget what the walkers cached of them
 *  needs: interrupts on, or kernel_as at boot   locks: node locks are fine */
void arch_tlb_flush_range(struct aspace *, vaddr_t lo, vaddr_t hi, unsigned stride_level,
			  bool tables_freed);
void arch_tlb_flush_as(struct aspace *);

/* arch_tlb_flush_local - this CPU's translation of va, in any space: after a spurious fault. */
void arch_tlb_flush_local(vaddr_t va);
