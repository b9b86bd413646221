/* SPDX-License-Identifier: MIT */
/*
 * wait.h - wait queues: a list of threads sleeping until something becomes true.
 *
 * The condition is written under whatever lock the owner has, then waitq_wake_* is called. A waiter
 * declares that it sleeps, links itself, and looks at the condition after that, so no wake-up is lost.
 */
#pragma once

#include <quire/types.h>
#include "kernel/lock.h"
#include "kernel/thread.h"

struct waitq {
	struct spinlock lock; /* RANK_WAITQ */
	struct list_head waiters;
};

/* A sleeping thread; or, with a function, a watcher: it is told of wake-ups and stays on the queue. */
struct waiter {
	struct list_head link;
	struct thread *thread;
	/* Called by the waker, in its context, under the queue's lock: takes no locks but those of other queues
	 * that watch this one (nested), or of higher rank. True: somebody has been woken for it. */
	bool (*wake)(struct waiter *);
	bool exclusive; /* a watcher that can do without this wake-up if another one acted on it */
	bool woken;
};

#define WAITQ_INIT(q)                                                                \
	{                                                                            \
		.lock = SPINLOCK_INIT(RANK_WAITQ), .waiters = LIST_INIT((q).waiters) \
	}

void waitq_init(struct waitq *);
/* waitq_add - the current thread declares that it sleeps and joins the queue; look at the condition after that.
 * waitq_remove - take it off again; harmless when a waker did. */
void waitq_add(struct waitq *, struct waiter *, enum wait_mode);
void waitq_remove(struct waitq *, struct waiter *);
/* waitq_cancel - remove a waiter that goes on for a reason of its own: a wake-up that was spent on it goes to the next. */
void waitq_cancel(struct waitq *, struct waiter *);
/* waitq_watch - add a watcher, whose wake and exclusive are set. Watchers are told before sleepers are woken. It
 * goes with waitq_unwatch, after which its function is not running. Any context. */
void waitq_watch(struct waitq *, struct waiter *);
void waitq_unwatch(struct waitq *, struct waiter *);
/* waitq_wake - tell the watchers, of the exclusive ones until one acts; and wake up to n sleepers, oldest first. All
 * (~0) is all of both. Returns how many sleepers; any context. waitq_wake_locked: the caller holds q->lock. */
unsigned waitq_wake(struct waitq *, unsigned n);
unsigned waitq_wake_locked(struct waitq *, unsigned n);
#define waitq_wake_all(q) waitq_wake(q, ~0u)

/* wait_step - the sleep that was declared: 0, -EINTR by its mode, -ETIMEDOUT past deadline_ns (0: none). */
int wait_step(u64 deadline_ns);

/* wait_event - sleep until cond is true. cond is evaluated with no lock held and may be evaluated
 * many times; when it is true the value is 0, whatever else has happened. Value: 0, -EINTR, -ETIMEDOUT. */
#define wait_event_deadline(q, cond, mode, deadline)         \
	({                                                   \
		struct waiter wait_self;                     \
		int wait_err = 0;                            \
		for (;;) {                                   \
			if (cond) {                          \
				wait_err = 0;                \
				break;                       \
			}                                    \
			if (wait_err)                        \
				break;                       \
			waitq_add(q, &wait_self, mode);      \
			if (cond) {                          \
				thread_cancel_sleep();       \
				waitq_cancel(q, &wait_self); \
				break;                       \
			}                                    \
			wait_err = wait_step(deadline);      \
			waitq_remove(q, &wait_self);         \
		}                                            \
		wait_err;                                    \
	})
#define wait_event(q, cond, mode) wait_event_deadline(q, cond, mode, 0)

/* bit waits: many rarely contended objects (folio locks) share a hashed table of queues. */
struct waitq *waitq_for(const void *address);
void wait_init(void); /* boot CPU, before the first sleep */
