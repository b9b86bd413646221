/* SPDX-License-Identifier: MIT */
/*
 * as.c - loading address spaces: which tables a CPU translates user addresses by.
 *
 * The kernel half has a root register of its own (TTBR1), loaded once. TTBR0 holds the root of the user
 * space and its ASID.
 *
 * Read next: asid.c.
 */
#include <arch/as.h>
#include <arch/boot.h>
#include <arch/cpu.h>
#include "arch/aarch64/asid.h"
#include "arch/aarch64/internal.h"
#include "lib/atomic.h"
#include "mm/pt/aspace.h"

static PERCPU struct aspace *as_loaded;

/* What TTBR0 points at while there is no user space: no translation at all. */
static u64 empty_root[512] SECTION(".bss.page_aligned") ALIGNED(4096);

static void load_ttbr0(paddr_t root, u64 id)
{
	sysreg_write(ttbr0_el1, root | (id & ASID_MASK) << 48);
	isb();
}

static u64 assign_number(struct aspace *as)
{
	u64 old = atomic_load(&as->arch.asid), id;
	bool flush;

	id = asid_assign(&as->arch.asid, &flush);
	if (id != old) /* it is known before we walk under it: tlb.c */
		__asm__ volatile("dsb ish" : : : "memory");
	if (flush)
		__asm__ volatile("tlbi vmalle1\n\tdsb nsh\n\tisb" : : : "memory");
	return id;
}

/* arch_as_switch - see arch/as.h. */
void arch_as_switch(struct aspace *next)
{
	if (next == &kernel_as)
		next = NULL;
	if (next == this_cpu(as_loaded))
		return;
	this_cpu(as_loaded) = next;
	if (!next) {
		load_ttbr0(sym_to_phys(empty_root), 0);
		return;
	}
	if (!cpumask_test(&next->cpus, cpu_id())) {
		cpumask_set_atomic(&next->cpus, cpu_id());
		__asm__ volatile("dsb ish" : : : "memory"); /* pairs with tlb.c */
	}
	load_ttbr0(next->root_pa, assign_number(next));
}

/* arch_kernel_tables_install - see arch/as.h. Both root registers change at once, so everything that was
 * translated before goes. */
void arch_kernel_tables_install(paddr_t root)
{
	__asm__ volatile("dsb ish" : : : "memory");
	load_ttbr0(sym_to_phys(empty_root), 0);
	sysreg_write(ttbr1_el1, root);
	__asm__ volatile("isb\n\ttlbi vmalle1\n\tdsb nsh\n\tisb" : : : "memory");
}

/* arch_as_init - see arch/as.h. */
int arch_as_init(struct aspace *as)
{
	as->arch.asid = 0;
	return 0;
}

/* arch_as_destroy - see arch/as.h. Its number stays unused until the next generation. */
void arch_as_destroy(struct aspace *as)
{
	as->arch.asid = 0;
}
