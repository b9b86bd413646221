/* SPDX-License-Identifier: MIT */
/*
 * as.h - address spaces and their identifiers (ASIDs).
 *
 * A TLB entry of a user page carries the ASID under which it was made, so switching spaces flushes
 * nothing. ASIDs are handed out in order; when they run out a new generation begins (as.c).
 */
#pragma once

#include <quire/types.h>

struct aspace;

struct arch_as {
	u64 asid; /* [a] generation << 16 | ASID; 0: none yet */
};

/* arch_as_init - a new space; its root is allocated and empty. The kernel half is behind the second root
 * register, so there is nothing to copy. 0. */
int arch_as_init(struct aspace *);
void arch_as_destroy(struct aspace *);

/* arch_as_switch - translate user addresses by `next` on this CPU; NULL or &kernel_as: by nothing.
 *  needs: interrupts off; the caller holds a reference for as long as it is loaded
 *  after: this CPU is in next->cpus */
void arch_as_switch(struct aspace *next);

/* arch_as_asid - the identifier in TLB entries of this space. */
static inline u64 arch_as_asid(const struct arch_as *as)
{
	return __atomic_load_n(&as->asid, __ATOMIC_RELAXED) & 0xffff;
}

/* arch_kernel_tables_install - use the tables at root for the kernel half, on this CPU, and nothing for
 * user addresses: the boot tables and the identity map are gone. Interrupts off. */
void arch_kernel_tables_install(paddr_t root);
