/* SPDX-License-Identifier: MIT */
/*
 * interval.h - a timer as user space sets it: on a clock, once or with a period.
 *
 * It fires once and then waits to be collected: only then are the periods counted that have passed, and the next one
 * armed. So a period may be as short as anybody likes; nothing happens faster than somebody takes note.
 *
 * Times are ns. An absolute time of the real-time clock moves when that clock is set; relative ones do not.
 *
 * The lock is that of its wait queue (RANK_WAITQ, nested below the queue of the clock's changes). Everything that ends
 * in _locked needs it; the functions of the owner are called with it, interrupts off.
 */
#pragma once

#include "kernel/time.h"
#include "kernel/wait.h"

struct interval {
	struct waitq queue;
	void (*fire)(struct interval *);      /* [i] its time has come; may be NULL */
	void (*clock_set)(struct interval *); /* [i] the real-time clock was set; may be NULL */
	bool realtime;                        /* [i] on the real-time clock */
	bool absolute;                        /* [queue.lock] the expiry is a time of that clock */
	bool fired;                           /* [queue.lock] and not collected */
	u64 expiry; /* [queue.lock] of its clock or monotonic; 0: not set */
	u64 period; /* [queue.lock] 0: once */
	struct timer timer;
	struct waiter watcher; /* on the changes of the clock */
};

/* How long until it fires, and its period; 0: not set. */
struct interval_state {
	u64 left, period;
};

void interval_init(struct interval *, bool realtime, void (*fire)(struct interval *),
		   void (*clock_set)(struct interval *));
/* interval_stop - for good. After it fire is neither running nor called again, and collecting gives 0; but the memory must outlive a grace
 * period. Any lock below RANK_WAITQ may be held, interrupts on. */
void interval_stop(struct interval *);

/* interval_set_locked - left 0: not set; absolute: left is a time of its clock. What fired before is forgotten. */
void interval_set_locked(struct interval *, u64 left, u64 period, bool absolute);
/* interval_get_locked - a time that has come and is not collected counts as the next of its period. */
void interval_get_locked(const struct interval *, struct interval_state *);
/* interval_collect_locked - how many times it should have fired since the last time; 0: not once. Sets the
 * next one, if there is a period, not earlier than min ns from now. */
u64 interval_collect_locked(struct interval *, u64 min);

/* interval_state_from_user, interval_state_to_user - a struct itimerspec: period, then value. 0, -EFAULT, -EINVAL. */
int interval_state_from_user(vaddr_t, struct interval_state *);
int interval_state_to_user(vaddr_t, const struct interval_state *);
