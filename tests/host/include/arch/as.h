/* SPDX-License-Identifier: MIT */
/* as.h - address spaces of simulated CPUs: whoever simulates a TLB defines these. */
#pragma once

#include <quire/types.h>

struct aspace;

struct arch_as {
	u64 id; /* for the simulated TLB */
};

int arch_as_init(struct aspace *);
void arch_as_destroy(struct aspace *);
void arch_as_switch(struct aspace *next);
void arch_kernel_tables_install(paddr_t root);
