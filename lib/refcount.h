/* SPDX-License-Identifier: MIT */
/*
 * refcount.h - reference counts that would rather leak than wrap.
 *
 * A count is a plain u32 whose holder starts it at 1. A count that reaches REFCOUNT_SATURATED stays
 * in the upper half for good: the object is never freed, and nothing is used after free. Taking a
 * reference to an object already at 0, or putting one too many, is a bug and is caught.
 */
#pragma once

#include <quire/assert.h>
#include "lib/atomic.h"

#define REFCOUNT_SATURATED 0x80000000u
#define REFCOUNT_PARKED    0xc0000000u /* in the middle, so that racing gets and puts stay there */

static inline void refcount_init(u32 *count)
{
	atomic_store(count, 1);
}

/* refcount_get - one more reference; the caller already has one, or a lock that implies one. */
static inline void refcount_get(u32 *count)
{
	u32 old = __atomic_fetch_add(count, 1, __ATOMIC_RELAXED);

	BUG_ON(old == 0);
	if (unlikely(old >= REFCOUNT_SATURATED - 1))
		atomic_store(count, REFCOUNT_PARKED);
}

/* refcount_try_get - one more reference unless the last is gone already: for lookups under RCU. */
static inline bool refcount_try_get(u32 *count)
{
	u32 old = atomic_load(count);

	do {
		if (old == 0)
			return false;
		if (unlikely(old >= REFCOUNT_SATURATED - 1)) {
			atomic_store(count, REFCOUNT_PARKED);
			return true;
		}
	} while (!atomic_cas(count, &old, old + 1));
	return true;
}

/* refcount_put - one reference fewer; true when it was the last and the caller must free. */
static inline bool refcount_put(u32 *count) MUST_CHECK;
static inline bool refcount_put(u32 *count)
{
	u32 old = __atomic_fetch_sub(count, 1, __ATOMIC_ACQ_REL);

	BUG_ON(old == 0);
	if (unlikely(old >= REFCOUNT_SATURATED))
		atomic_store(count, REFCOUNT_PARKED);
	return old == 1;
}

/* refcount_put_unless_last - one reference fewer, but the last one stays: false, and it is put under a lock. */
static inline bool refcount_put_unless_last(u32 *count)
{
	u32 old = atomic_load(count);

	do {
		if (old <= 1 || unlikely(old >= REFCOUNT_SATURATED))
			return false;
	} while (!__atomic_compare_exchange_n(count, &old, old - 1, true, __ATOMIC_RELEASE,
					      __ATOMIC_RELAXED));
	return true;
}

/* refcount_read - how many there were a moment ago: for asserts and statistics. */
static inline u32 refcount_read(const u32 *count)
{
	return atomic_load(count);
}
