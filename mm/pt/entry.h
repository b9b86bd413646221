/* SPDX-License-Identifier: MIT */
/*
 * entry.h - how page-table entries in memory are read and written: single-copy atomic, loads acquire,
 * stores release. The hardware may set the accessed and dirty bits between any two of these calls.
 * What the architectures do not share is in arch/pt.h, which includes this file.
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

/* pte_eight_are_zero - pte_is_zero of eight entries in a row. */
static inline bool pte_eight_are_zero(const pte_t *p)
{
	u64 all = 0;

#pragma GCC unroll 8
	for (unsigned i = 0; i < 8; i++)
		all |= __atomic_load_n(&p[i].v, __ATOMIC_RELAXED);
	return !all;
}

/* pte_is_zero - an entry that was never used or was emptied. Others may mean nothing as well: arch_pte_form. */
static inline bool pte_is_zero(pte_t pte)
{
	return !pte.v;
}
