/* SPDX-License-Identifier: MIT */
/* tlb.h - flushes of simulated TLBs: whoever simulates one defines these. */
#pragma once

#include <quire/types.h>

struct aspace;

void arch_tlb_flush_range(struct aspace *, vaddr_t lo, vaddr_t hi, unsigned stride_level,
			  bool tables_freed);
void arch_tlb_flush_as(struct aspace *);
void arch_tlb_flush_local(vaddr_t va);
