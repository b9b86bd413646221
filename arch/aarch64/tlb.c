/* SPDX-License-Identifier: MIT */
/*
 * tlb.c - TLB invalidation.
 *
 * "dsb ishst; tlbi; dsb ish" makes earlier stores to the tables visible to all walkers, then forgets what
 * was translated by the old content, and waits until no CPU uses it any more. The instructions
 * ending in "is" do so on all CPUs. A space whose set of CPUs is just this one is flushed here only.
 *
 * Why reading that set is safe: the tables were changed before, and dsb ishst orders that before our read of
 * as->cpus. A CPU that switches to the space sets its bit, then dsb, then loads the root
 * (as.c). So either we see its bit, or its walks see our change. The ASID is read after the barrier for the same
 * reason: it may be replaced at any time, by a CPU that passes a barrier before it walks under the new one.
 *
 * The set only grows: a space that has moved between CPUs is flushed by broadcast from then on.
 *
 * Operand of an invalidation by address: ASID in bits 63..48, address / 4096 in bits 43..0.
 */
#include <arch/as.h>
#include <arch/cpu.h>
#include <arch/pte.h>
#include <arch/tlb.h>
#include "kernel/percpu.h"
#include "lib/atomic.h"
#include "mm/pt/aspace.h"

/* More entries than this are not named one by one. A broadcast waits for every CPU each time. */
#define FLUSH_MAX_LOCAL     256u
#define FLUSH_MAX_BROADCAST 16u

#define TLBI(op, operand) __asm__ volatile("tlbi " op ", %x0" : : "rZ"((u64)(operand)) : "memory")
#define TLBI_ALL(op)      __asm__ volatile("tlbi " op : : : "memory")

static u64 operand_of(u64 asid, vaddr_t va)
{
	return asid << 48 | (va >> PAGE_SHIFT & (BIT(44) - 1));
}

/* only_here - no other CPU can hold translations of the space. After dsb_before(). */
static bool only_here(const struct aspace *as)
{
	return !cpumask_has_others(&as->cpus, cpu_id());
}

static void dsb_before(void)
{
	__asm__ volatile("dsb ishst" : : : "memory");
}

static void dsb_after(bool local)
{
	if (local)
		__asm__ volatile("dsb nsh\n\tisb" : : : "memory");
	else
		__asm__ volatile("dsb ish\n\tisb" : : : "memory");
}

/* "Last level" forms leave cached table entries alone. */
static void flush_user_page(u64 operand, bool local, bool last_level)
{
	if (local && last_level)
		TLBI("vale1", operand);
	else if (local)
		TLBI("vae1", operand);
	else if (last_level)
		TLBI("vale1is", operand);
	else
		TLBI("vae1is", operand);
}

static void flush_kernel_range(vaddr_t lo, vaddr_t hi, u64 stride, bool tables_freed)
{
	dsb_before();
	if ((hi - lo) / stride > FLUSH_MAX_BROADCAST)
		TLBI_ALL("vmalle1is");
	else if (tables_freed)
		for (vaddr_t va = lo; va < hi; va += stride)
			TLBI("vaae1is", operand_of(0, va));
	else
		for (vaddr_t va = lo; va < hi; va += stride)
			TLBI("vaale1is", operand_of(0, va));
	dsb_after(false);
}

/* arch_tlb_flush_as - see arch/tlb.h. */
void arch_tlb_flush_as(struct aspace *as)
{
	bool local;
	u64 asid;

	dsb_before();
	asid = arch_as_asid(&as->arch);
	local = as != &kernel_as && only_here(as);
	if (as == &kernel_as)
		TLBI_ALL("vmalle1is");
	else if (local)
		TLBI("aside1", asid << 48);
	else
		TLBI("aside1is", asid << 48);
	dsb_after(local);
}

/* arch_tlb_flush_range - see arch/tlb.h. */
void arch_tlb_flush_range(struct aspace *as, vaddr_t lo, vaddr_t hi, unsigned stride_level,
			  bool tables_freed)
{
	u64 stride = PAGE_SIZE << PT_BITS * stride_level;
	bool local;
	u64 asid;

	if (as == &kernel_as) {
		flush_kernel_range(lo, hi, stride, tables_freed);
		return;
	}
	dsb_before();
	asid = arch_as_asid(&as->arch);
	local = only_here(as);
	if ((hi - lo) / stride > (local ? FLUSH_MAX_LOCAL : FLUSH_MAX_BROADCAST)) {
		arch_tlb_flush_as(as);
		return;
	}
	for (vaddr_t va = lo; va < hi; va += stride)
		flush_user_page(operand_of(asid, va), local, !tables_freed);
	dsb_after(local);
}

/* arch_tlb_flush_local - see arch/tlb.h. What is stale may also be the way to a table that another CPU has
 * detached and not flushed yet, and replaced by the one that the fault handler has looked at. */
void arch_tlb_flush_local(vaddr_t va)
{
	__asm__ volatile("dsb nshst" : : : "memory");
	TLBI("vaae1", operand_of(0, va));
	dsb_after(true);
}
