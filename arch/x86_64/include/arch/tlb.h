/* SPDX-License-Identifier: MIT */
/*
 * tlb.h - removing stale translations. Only mm/pt calls these; arch/x86_64/tlb.c says how.
 *
 * The first two complete on every CPU in as->cpus before they return (kernel_as: every online CPU); the
 * caller has stored the new entries before. Interrupts are on and no lock is held that a CPU might
 * wait for with interrupts off.
 */
#pragma once

#include <quire/types.h>

struct aspace;

/* arch_tlb_flush_range - [lo, hi) was mapped with leaves of stride_level (0: 4 KiB, 1: 2 MiB, 2: 1 GiB,
 * the smallest of them); tables_freed: tables were unhooked too, forget cached table entries. */
void arch_tlb_flush_range(struct aspace *, vaddr_t lo, vaddr_t hi, unsigned stride_level,
			  bool tables_freed);
/* arch_tlb_flush_as - everything. */
void arch_tlb_flush_as(struct aspace *);
/* arch_tlb_flush_local - one page, on this CPU only: after a spurious fault or a raised right. */
void arch_tlb_flush_local(vaddr_t va);
