/* SPDX-License-Identifier: MIT */
/*
 * as.c - loading address spaces, and handing out ASIDs.
 *
 * An ASID is 8 or 16 bits, so it cannot be a space's own for ever. Numbers are given out in order. When
 * none is left a new generation begins: every space must get a new number before it runs again, and each
 * CPU flushes its TLB before it runs a space of the new generation. Spaces that are running at that
 * moment go on under their old number, which is therefore reserved: the new generation leaves it
 * out, and gives it to the same space again.
 *
 * asid_active of a CPU is the (generation, number) that it loaded last. The fast path of a switch is one
 * compare-and-swap on it; a new generation takes all of them away by exchanging 0, so a switch that
 * races with it fails the swap and takes the lock. Thus each CPU either is seen to use its old
 * number or notices the new generation.
 *
 * Everything else here is under asid_lock.
 */
#include <arch/as.h>
#include <arch/boot.h>
#include <arch/cpu.h>
#include "arch/aarch64/internal.h"
#include "kernel/lock.h"
#include "lib/atomic.h"
#include "mm/pt/aspace.h"

#define ASID_BITS 16u /* of a number, whatever the hardware has */
#define ASID_MASK (BIT(ASID_BITS) - 1)

static struct spinlock asid_lock = SPINLOCK_INIT(RANK_IRQ_CHIP);
static u64 asid_generation = BIT(ASID_BITS);
static u64 asid_next = 1; /* number 0: no user space */
static struct cpumask asid_flush_due;

static PERCPU u64 asid_active;   /* [a] 0: a new generation began since */
static PERCPU u64 asid_reserved; /* kept over the start of a generation */
static PERCPU struct aspace *as_loaded;

/* What TTBR0 points at while there is no user space: no translation at all. */
static u64 empty_root[512] SECTION(".bss.page_aligned") ALIGNED(4096);

static u64 asid_limit(void)
{
	return BIT(cpu_features.asid_bits);
}

/* is_reserved - some CPU still uses this number; if `old` is that use, it becomes `renewed`. */
static bool is_reserved(u64 number, u64 old, u64 renewed)
{
	bool found = false;

	for (unsigned cpu = 0; cpu < nr_cpus; cpu++) {
		u64 *reserved = &cpu_var(asid_reserved, cpu);

		if ((*reserved & ASID_MASK) != number || !*reserved)
			continue;
		found = true;
		if (*reserved == old)
			*reserved = renewed;
	}
	return found;
}

/* was_running - the space kept its number because it was running when the generation began. */
static bool was_running(u64 id, u64 renewed)
{
	for (unsigned cpu = 0; id && cpu < nr_cpus; cpu++)
		if (cpu_var(asid_reserved, cpu) == id)
			return is_reserved(id & ASID_MASK, id, renewed);
	return false;
}

static void begin_generation(void)
{
	asid_generation += BIT(ASID_BITS);
	asid_next = 1;
	for (unsigned cpu = 0; cpu < nr_cpus; cpu++) {
		u64 active = atomic_xchg(&cpu_var(asid_active, cpu), 0);

		if (active) /* else it has run nothing new: what was reserved before still is */
			cpu_var(asid_reserved, cpu) = active;
		cpumask_set(&asid_flush_due, cpu);
	}
}

static u64 new_asid(u64 old)
{
	u64 renewed = asid_generation | (old & ASID_MASK);

	if (was_running(old, renewed))
		return renewed;
	for (;;) {
		if (asid_next == asid_limit()) {
			begin_generation();
			if (was_running(old, asid_generation | (old & ASID_MASK)))
				return asid_generation | (old & ASID_MASK);
		}
		if (!is_reserved(asid_next, 0, 0))
			return asid_generation | asid_next++;
		asid_next++;
	}
}

static bool is_current(u64 id)
{
	return !((id ^ atomic_load(&asid_generation)) >> ASID_BITS);
}

/* asid_assign - the number under which this CPU is going to run the space. */
static u64 asid_assign(struct aspace *as)
{
	u64 id = atomic_load(&as->arch.asid);
	u64 active = atomic_load(&this_cpu(asid_active));
	unsigned long irq;

	if (active && is_current(id) && atomic_cas(&this_cpu(asid_active), &active, id))
		return id;
	irq = spin_lock_irqsave(&asid_lock);
	id = as->arch.asid;
	if (!is_current(id)) {
		id = new_asid(id);
		atomic_store(&as->arch.asid, id);
	}
	if (cpumask_test(&asid_flush_due, cpu_id())) {
		cpumask_clear(&asid_flush_due, cpu_id());
		__asm__ volatile("tlbi vmalle1\n\tdsb nsh\n\tisb" : : : "memory");
	}
	atomic_store(&this_cpu(asid_active), id);
	spin_unlock_irqrestore(&asid_lock, irq);
	return id;
}

static void load_ttbr0(paddr_t root, u64 id)
{
	sysreg_write(ttbr0_el1, root | (id & ASID_MASK) << 48);
	isb();
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
	load_ttbr0(next->root_pa, asid_assign(next));
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
