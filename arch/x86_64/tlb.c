/* SPDX-License-Identifier: MIT */
/*
 * tlb.c - flushing translations on this CPU and, by interrupts, on others.
 *
 * INVLPG removes a page's translation, global or not, of whatever size, and everything that the CPU has cached
 * of the upper levels; so freed tables need nothing besides. (SDM vol. 3, 4.10.4.) Above
 * FLUSH_MAX_PAGES it is cheaper to lose everything.
 *
 * Order: the caller's stores to entries, a full barrier, the read of the mask. A CPU that is not in the
 * mask yet enters it (full barrier) before it walks the tables: it finds the new entries.
 */
#include <quire/assert.h>
#include <arch/cpu.h>
#include <arch/msr.h>
#include <arch/tlb.h>
#include "arch/x86_64/internal.h"
#include "kernel/smp.h"
#include "kernel/thread.h"
#include "lib/atomic.h"
#include "mm/pt/aspace.h"

#define FLUSH_MAX_PAGES 33

struct flush {
	const struct aspace *as;
	vaddr_t lo, hi; /* hi 0: everything */
	u64 stride;     /* bytes */
};

static void flush_page(vaddr_t va)
{
	__asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
}

/* Switching global pages off and on flushes them as well. */
static void flush_global(void)
{
	u64 cr4 = cr4_read();

	if (cr4 & CR4_PGE) {
		cr4_write(cr4 & ~(u64)CR4_PGE);
		cr4_write(cr4);
	} else {
		cr3_write(cr3_read());
	}
}

static void flush_pages(const struct flush *f)
{
	for (vaddr_t va = f->lo; va < f->hi; va += f->stride)
		flush_page(va);
}

static void flush_kernel(void *arg)
{
	const struct flush *f = arg;

	if (f->hi)
		flush_pages(f);
	else
		flush_global();
}

/* On each CPU concerned. One that has left the space meanwhile has flushed it by that. */
static void flush_user(void *arg)
{
	const struct flush *f = arg;

	if (this_cpu(cpu_as) != f->as || this_cpu(cpu_as_parked))
		return;
	if (current->as != f->as)
		as_park();
	else if (f->hi)
		flush_pages(f);
	else
		cr3_write(cr3_read());
}

static void flush(struct flush *f)
{
	bool kernel = f->as == &kernel_as;
	const struct cpumask *mask = kernel ? &cpus_online : &f->as->cpus;
	void (*fn)(void *) = kernel ? flush_kernel : flush_user;
	unsigned long irq;

	smp_mb();
	irq = cpu_irq_save();
	fn(f);
	cpu_irq_restore(irq);
	if (cpumask_has_others(mask, cpu_id()))
		smp_call(mask, fn, f);
}

/* arch_tlb_flush_range - see arch/tlb.h. */
void arch_tlb_flush_range(struct aspace *as, vaddr_t lo, vaddr_t hi, unsigned stride_level,
			  bool tables_freed UNUSED)
{
	struct flush f = {.as = as, .lo = lo, .hi = hi, .stride = PAGE_SIZE << 9 * stride_level};

	if ((hi - lo) >> (PAGE_SHIFT + 9 * stride_level) > FLUSH_MAX_PAGES)
		f.hi = 0;
	flush(&f);
}

/* arch_tlb_flush_as - see arch/tlb.h. */
void arch_tlb_flush_as(struct aspace *as)
{
	struct flush f = {.as = as};

	flush(&f);
}

/* arch_tlb_flush_local - see arch/tlb.h. */
void arch_tlb_flush_local(vaddr_t va)
{
	flush_page(va);
}
