/* SPDX-License-Identifier: MIT */
/*
 * seqcount.h - readers that retry instead of locking.
 *
 * Writers hold their own lock and bracket their changes; the count is odd in between. A reader takes
 * the count, reads with READ_ONCE (anything it follows must stay allocated: RCU), and asks whether a
 * writer was active:
 *
 *	do {
 *		seq = seq_read_begin(&s);
 *		...
 *	} while (seq_read_retry(&s, seq));
 *
 * A reader on the same CPU as an interrupted writer would spin for ever: writers that interrupts or
 * sleepers read must not sleep and keep interrupts off, or readers use seq_try_read_begin.
 */
#pragma once

#include "lib/atomic.h"

struct seqcount {
	u32 seq; /* [a] odd: a writer is active */
};

#define SEQCOUNT_INIT \
	{             \
		0     \
	}

/* seq_read_begin - the count, once no writer is active. */
static inline u32 seq_read_begin(const struct seqcount *s)
{
	u32 seq;

	while (unlikely((seq = atomic_load_acquire(&s->seq)) & 1))
		barrier();
	return seq;
}

/* seq_try_read_begin - the same without waiting: false while a writer is active. */
static inline bool seq_try_read_begin(const struct seqcount *s, u32 *seq)
{
	*seq = atomic_load_acquire(&s->seq);
	return !(*seq & 1);
}

/* seq_read_retry - true when what was read since seq_read_begin may be inconsistent. */
static inline bool seq_read_retry(const struct seqcount *s, u32 seq)
{
	smp_rmb();
	return unlikely(atomic_load(&s->seq) != seq);
}

/* seq_write_begin, seq_write_end - around a change; writers exclude each other. */
static inline void seq_write_begin(struct seqcount *s)
{
	atomic_store(&s->seq, s->seq + 1);
	smp_wmb();
}

static inline void seq_write_end(struct seqcount *s)
{
	atomic_store_release(&s->seq, s->seq + 1);
}
