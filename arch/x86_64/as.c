/* SPDX-License-Identifier: MIT */
/*
 * as.c - which root table each CPU has loaded.
 *
 * A CPU enters as->cpus before it can load an entry of the space into its TLB, and leaves it when loading
 * another root has emptied the TLB. Whoever changes entries and then reads the mask therefore
 * misses nobody: see tlb.c.
 */
#include <quire/assert.h>
#include <arch/as.h>
#include <arch/layout.h>
#include <arch/msr.h>
#include "arch/x86_64/internal.h"
#include "lib/string.h"
#include "mm/pt/aspace.h"

PERCPU struct aspace *cpu_as;

/* arch_as_init - see arch/as.h. The kernel's root entries are all made at boot and never change. */
int arch_as_init(struct aspace *as)
{
	u64 *root = page_to_virt(as->root);
	const u64 *kernel_root = page_to_virt(kernel_as.root);

	memcpy(root + PT_ROOT_KERNEL_FIRST, kernel_root + PT_ROOT_KERNEL_FIRST,
	       (PT_ROOT_KERNEL_LAST - PT_ROOT_KERNEL_FIRST + 1) * sizeof(*root));
	return 0;
}

/* arch_as_destroy - see arch/as.h. */
void arch_as_destroy(struct aspace *as)
{
	assert(cpumask_empty(&as->cpus));
}

/* arch_as_switch - see arch/as.h. */
void arch_as_switch(struct aspace *next)
{
	struct aspace *prev = this_cpu(cpu_as);

	if (next == &kernel_as)
		next = NULL;
	if (next == prev)
		return;
	if (next)
		cpumask_set_atomic(&next->cpus, cpu_id()); /* full barrier: before any walk */
	cr3_write(next ? next->root_pa : kernel_as.root_pa);
	this_cpu(cpu_as) = next;
	if (prev)
		cpumask_clear_atomic(&prev->cpus, cpu_id());
}

/* arch_kernel_tables_install - see arch/as.h. Nothing in the boot tables is global, so they are gone. */
void arch_kernel_tables_install(paddr_t root)
{
	cr3_write(root);
	this_cpu(cpu_as) = NULL;
}
