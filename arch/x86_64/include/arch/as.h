/* SPDX-License-Identifier: MIT */
/*
 * as.h - which page tables a CPU uses.
 *
 * Process-context identifiers are not used: loading a root empties the TLB of everything but global
 * kernel entries, so a CPU can hold entries of a space only while it has its root loaded, and
 * as->cpus is exactly the set of those CPUs.
 */
#pragma once

#include <quire/types.h>

struct aspace;

struct arch_as {
	/* empty: nothing besides the root */
};

/* arch_as_init - the root table is allocated and its user half empty: share the kernel half. 0. */
int arch_as_init(struct aspace *);
/* arch_as_destroy - the last CPU has left the space. */
void arch_as_destroy(struct aspace *);
/* arch_as_switch - use another space from here on; NULL means kernel_as. Keeps as->cpus of the old and the
 * new one up to date. For the space in use already it does what is left to be done. Interrupts off. */
void arch_as_switch(struct aspace *next);
/* arch_kernel_tables_install - leave the boot tables: load kernel_as's root. Boot CPU. */
void arch_kernel_tables_install(paddr_t root);
