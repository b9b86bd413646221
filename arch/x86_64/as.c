/* SPDX-License-Identifier: MIT */
/*
 * as.c - which root table each CPU has loaded.
 *
 * A CPU enters as->cpus before it can load an entry of the space into its TLB, and leaves it when loading
 * another root has emptied the TLB. Whoever changes entries and then reads the mask therefore
 * misses nobody: see tlb.c.
 *
 * A CPU that idles or runs a kernel thread keeps the last space loaded, in case the next thread wants it
 * again. Asked to flush it meanwhile, it parks: it loads the kernel's root and leaves the mask, so
 * that an idle CPU is interrupted once at most. The scheduler does not notice; the next thread that
 * needs the space gets it loaded again on the way (arch_switch calls as_unpark).
 */
#include <quire/assert.h>
#include <arch/as.h>
#include <arch/layout.h>
#include <arch/msr.h>
#include "arch/x86_64/internal.h"
#include "lib/string.h"
#include "mm/pt/aspace.h"

struct aspace *cpu_as PERCPU;
bool cpu_as_parked PERCPU;

static inline void load(struct aspace *as, unsigned cpu)
{
	cpumask_set_atomic(&as->cpus, cpu); /* full barrier: before any walk */
	cr3_write(as->root_pa);
}

/* Which entries of the root are the kernel's: all are made at boot, a handful, and never change. */
static u16 kernel_slots[PT_ROOT_KERNEL_LAST - PT_ROOT_KERNEL_FIRST + 1];
static unsigned
	nr_kernel_slots; /* 0: not looked yet. The first space is made when there is only one process */

static void find_kernel_slots(const u64 *kernel_root)
{
	for (unsigned i = PT_ROOT_KERNEL_FIRST; i <= PT_ROOT_KERNEL_LAST; i++)
		if (kernel_root[i])
			kernel_slots[nr_kernel_slots++] = (u16)i;
}

/* arch_as_init - see arch/as.h. */
int arch_as_init(struct aspace *as)
{
	u64 *root = page_to_virt(as->root);
	const u64 *kernel_root = page_to_virt(kernel_as.root);

	if (!nr_kernel_slots)
		find_kernel_slots(kernel_root);
	for (unsigned n = 0; n < nr_kernel_slots; n++)
		root[kernel_slots[n]] = kernel_root[kernel_slots[n]];
	return 0;
}

/* arch_as_destroy - see arch/as.h. */
void arch_as_destroy(struct aspace *as)
{
	u64 *root = page_to_virt(as->root);

	assert(cpumask_empty(&as->cpus));
	for (unsigned n = 0; n < nr_kernel_slots; n++)
		root[kernel_slots[n]] = 0;
}

/* as_park - see internal.h. */
void as_park(void)
{
	cr3_write(kernel_as.root_pa);
	this_cpu(cpu_as_parked) = true;
	cpumask_clear_atomic(&this_cpu(cpu_as)->cpus, cpu_id());
}

/* as_unpark - see internal.h. */
void as_unpark(void)
{
	this_cpu(cpu_as_parked) = false;
	load(this_cpu(cpu_as), cpu_id());
}

/* arch_as_switch - see arch/as.h. */
void arch_as_switch(struct aspace *next)
{
	uintptr_t here = arch_percpu_offset();
	struct aspace **loaded = percpu_at(cpu_as, here), *prev = *loaded;
	bool *parked = percpu_at(cpu_as_parked, here);
	unsigned cpu = *percpu_at(cpu_number, here);

	if (next == &kernel_as)
		next = NULL;
	if (next == prev) {
		if (*parked)
			as_unpark();
		return;
	}
	if (likely(next))
		load(next, cpu);
	else
		cr3_write(kernel_as.root_pa);
	*loaded = next;
	if (prev && !*parked)
		cpumask_clear_atomic(&prev->cpus, cpu);
	*parked = false;
}

/* arch_kernel_tables_install - see arch/as.h. Nothing in the boot tables is global, so they are gone. */
void arch_kernel_tables_install(paddr_t root)
{
	cr3_write(root);
	this_cpu(cpu_as) = NULL;
}
