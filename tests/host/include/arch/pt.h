/* SPDX-License-Identifier: MIT */
/*
 * pt.h - page-table entries of a simulated MMU: the real codec of the architecture under test
 * (arch/pte.h comes from -Iarch/<arch>/include), plain atomic memory.
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

static inline bool arch_pte_cas(pte_t *p, pte_t *old, pte_t pte)
{
	return __atomic_compare_exchange_n(&p->v, &old->v, pte.v, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

static inline void arch_pt_publish(void)
{
}

static inline unsigned arch_pt_leaf_levels(void)
{
	return PT_LEAF_LEVELS;
}
