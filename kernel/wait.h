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

struct waiter {
	struct list_head link;
	struct thread *thread;
	bool woken;
};

enum wait_mode {
	WAIT_UNINTERRUPTIBLE,
	WAIT_KILLABLE,      /* -EINTR when the process is being killed */
	WAIT_INTERRUPTIBLE, /* -EINTR when any signal is deliverable */
};

#define WAITQ_INIT(q)                                                                \
	{                                                                            \
		.lock = SPINLOCK_INIT(RANK_WAITQ), .waiters = LIST_INIT((q).waiters) \
	}

void waitq_init(struct waitq *);
void waitq_add(struct waitq *, struct waiter *);    /* current, after thread_prepare_sleep */
void waitq_remove(struct waitq *, struct waiter *); /* harmless when already woken */
unsigned waitq_wake(struct waitq *, unsigned n); /* oldest first; returns how many; any context */
#define waitq_wake_all(q) waitq_wake(q, ~0u)

/* wait_step - one sleep inside wait_event: 0, -EINTR by mode, -ETIMEDOUT past deadline_ns (0: none). */
int wait_step(enum wait_mode, u64 deadline_ns);

/* wait_event - sleep until cond is true. cond is evaluated with no lock held and may be evaluated
 * many times; when it is true the value is 0, whatever else has happened. Value: 0, -EINTR, -ETIMEDOUT. */
#define wait_event_deadline(q, cond, mode, deadline)                  \
	({                                                            \
		struct waiter wait_self;                              \
		int wait_err = 0;                                     \
		for (;;) {                                            \
			if (cond) {                                   \
				wait_err = 0;                         \
				break;                                \
			}                                             \
			if (wait_err)                                 \
				break;                                \
			thread_prepare_sleep();                       \
			waitq_add(q, &wait_self);                     \
			if (cond)                                     \
				thread_cancel_sleep();                \
			else                                          \
				wait_err = wait_step(mode, deadline); \
			waitq_remove(q, &wait_self);                  \
		}                                                     \
		wait_err;                                             \
	})
#define wait_event(q, cond, mode) wait_event_deadline(q, cond, mode, 0)

/* bit waits: many rarely contended objects (folio locks) share a hashed table of queues. */
struct waitq *waitq_for(const void *address);
void wait_init(void); /* boot CPU, before the first sleep */
