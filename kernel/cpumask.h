/* SPDX-License-Identifier: MIT */
/* cpumask.h - a set of CPUs as a bit array. Plain operations; the _atomic forms may race. */
#pragma once

#include <quire/types.h>
#include "kernel/percpu.h"

struct cpumask {
	u64 bits[MAX_CPUS / 64];
};

#define cpumask_for_each(cpu, mask)                                \
	for (unsigned cpu = cpumask_next(mask, 0); cpu < MAX_CPUS; \
	     cpu = cpumask_next(mask, cpu + 1))

static inline bool cpumask_test(const struct cpumask *m, unsigned cpu)
{
	return __atomic_load_n(&m->bits[cpu / 64], __ATOMIC_RELAXED) >> (cpu % 64) & 1;
}

static inline void cpumask_set(struct cpumask *m, unsigned cpu)
{
	m->bits[cpu / 64] |= 1ul << (cpu % 64);
}

static inline void cpumask_clear(struct cpumask *m, unsigned cpu)
{
	m->bits[cpu / 64] &= ~(1ul << (cpu % 64));
}

static inline void cpumask_set_atomic(struct cpumask *m, unsigned cpu)
{
	__atomic_fetch_or(&m->bits[cpu / 64], 1ul << (cpu % 64), __ATOMIC_SEQ_CST);
}

static inline void cpumask_clear_atomic(struct cpumask *m, unsigned cpu)
{
	__atomic_fetch_and(&m->bits[cpu / 64], ~(1ul << (cpu % 64)), __ATOMIC_SEQ_CST);
}

/* cpumask_next - the first CPU >= from in the set, MAX_CPUS when there is none. */
static inline unsigned cpumask_next(const struct cpumask *m, unsigned from)
{
	for (unsigned w = from / 64; w < MAX_CPUS / 64; w++) {
		u64 bits = __atomic_load_n(&m->bits[w], __ATOMIC_RELAXED);

		if (w == from / 64)
			bits &= ~0ul << (from % 64);
		if (bits)
			return w * 64 + (unsigned)__builtin_ctzl(bits);
	}
	return MAX_CPUS;
}

/* cpumask_has_others - is a CPU in the set that is not this one? */
static inline bool cpumask_has_others(const struct cpumask *m, unsigned cpu)
{
	u64 others = 0;

	for (unsigned w = 0; w < MAX_CPUS / 64; w++) {
		u64 self = w == cpu / 64 ? 1ul << (cpu % 64) : 0;

		others |= __atomic_load_n(&m->bits[w], __ATOMIC_RELAXED) & ~self;
	}
	return others;
}

static inline bool cpumask_empty(const struct cpumask *m)
{
	return cpumask_next(m, 0) == MAX_CPUS;
}
