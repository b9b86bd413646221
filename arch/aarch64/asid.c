/* SPDX-License-Identifier: MIT */
/*
 * asid.c - handing out ASIDs, the identifiers of address spaces in TLB entries.
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
 * Everything else here is under asid_lock. Nothing here touches the hardware: tests/host/test_asid.c.
 */
#include <quire/assert.h>
#include "arch/aarch64/asid.h"
#include "kernel/cpumask.h"
#include "kernel/lock.h"
#include "lib/atomic.h"

static struct spinlock asid_lock = SPINLOCK_INIT(RANK_IRQ_CHIP);
static u64 asid_generation = BIT(ASID_BITS); /* [a] */
static u64 asid_next = 1;                    /* number 0: no user space */
static u64 asid_limit = BIT(8);
static struct cpumask asid_flush_due;

static PERCPU u64 asid_active;   /* [a] 0: a new generation began since */
static PERCPU u64 asid_reserved; /* kept over the start of a generation */

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
	atomic_store(&asid_generation, asid_generation + BIT(ASID_BITS));
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
		if (asid_next == asid_limit) {
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

/* asid_init - see asid.h. */
void asid_init(unsigned bits)
{
	asid_limit = BIT(bits);
}

/* asid_assign - see asid.h. */
u64 asid_assign(u64 *space_id, bool *flush)
{
	u64 id = atomic_load(space_id);
	u64 active = atomic_load(&this_cpu(asid_active));
	unsigned long irq;

	*flush = false;
	if (active && is_current(id) && atomic_cas(&this_cpu(asid_active), &active, id))
		return id;
	irq = spin_lock_irqsave(&asid_lock);
	id = atomic_load(space_id);
	if (!is_current(id)) {
		id = new_asid(id);
		atomic_store(space_id, id);
	}
	*flush = cpumask_test(&asid_flush_due, cpu_id());
	cpumask_clear(&asid_flush_due, cpu_id());
	atomic_store(&this_cpu(asid_active), id);
	spin_unlock_irqrestore(&asid_lock, irq);
	return id;
}
