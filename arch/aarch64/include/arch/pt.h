/* SPDX-License-Identifier: MIT */
/*
 * pt.h - how entries in memory are read and written on aarch64: single-copy atomic, loads acquire, stores
 * release. The hardware may set the accessed and dirty bits between any two of these calls.
 */
#pragma once

#include <arch/pte.h>

static inline pte_t arch_pte_load(const pte_t *p)
{
	return (pte_t){__atomic_load_n(&p->v, __ATOMIC_ACQUIRE)};
}

static inline void arch_pte_store(pte_t *p, pte_t pte)
{
	__atomic_store_n(&p->v, pte.v, __ATOMIC_RELEASE);
}

static inline pte_t arch_pte_xchg(pte_t *p, pte_t pte)
{
	return (pte_t){__atomic_exchange_n(&p->v, pte.v, __ATOMIC_ACQ_REL)};
}

/* arch_pte_cas - store pte if the entry still equals *old; on failure *old is what it holds now. */
static inline bool arch_pte_cas(pte_t *p, pte_t *old, pte_t pte)
{
	return __atomic_compare_exchange_n(&p->v, &old->v, pte.v, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

/* arch_pt_publish - make earlier stores visible to the table walkers of all CPUs. */
static inline void arch_pt_publish(void)
{
	__asm__ volatile("dsb ishst\n\tisb" ::: "memory");
}

/* arch_pt_leaf_levels - the levels at which this machine can map: all of them with a 4 KiB granule. */
static inline unsigned arch_pt_leaf_levels(void)
{
	return PT_LEAF_LEVELS;
}
