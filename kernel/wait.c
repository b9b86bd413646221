/* SPDX-License-Identifier: MIT */
/*
 * wait.c - wait queues.
 *
 * The order that makes it work: a waiter declares that it sleeps, puts itself on the queue, and only then
 * looks at the condition; a waker makes the condition true, and only then looks at the queue. Whichever
 * comes first, one of them sees the other. The declaration comes before the queue, because a waker takes
 * whom it wakes off the queue: one that came for another reason, between the two, would leave a
 * thread that sleeps and is on no queue.
 *
 * A waiter is removed by the waker, so each wake-up goes to a different thread, and `woken` is the last that the waker
 * touches of the struct, which may be gone in the next moment: waitq_remove takes the queue's lock only for a waiter that
 * nobody has woken. Watchers (poll, epoll)
 * stay until they are removed, and are told of each wake-up.
 *
 * Read next: kernel/sched.c, thread_wake.
 */
#include <arch/cpu.h>
#include <uapi/errno.h>
#include "kernel/signal.h"
#include "kernel/wait.h"
#include "lib/atomic.h"
#include "lib/hash.h"

#define HASHED_QUEUES_SHIFT 7

static struct waitq hashed_queues[1u << HASHED_QUEUES_SHIFT];

/* waitq_init - a queue without waiters. */
void waitq_init(struct waitq *q)
{
	spin_init(&q->lock, RANK_WAITQ);
	list_init(&q->waiters);
}

/* wait_init - the shared queues. Boot CPU, before the first sleep. */
void wait_init(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(hashed_queues); i++)
		waitq_init(&hashed_queues[i]);
}

/* waitq_for - the queue on which to wait for a change of the object at address. Others wait there for other
 * objects, so wake them all and let each look. */
struct waitq *waitq_for(const void *address)
{
	return &hashed_queues[hash_bits((u64)address, HASHED_QUEUES_SHIFT)];
}

/* waitq_add - declare that the current thread sleeps, and put it at the end of the queue. Interrupts on; no spin lock
 * is held. After it, the condition may be looked at. */
void waitq_add(struct waitq *q, struct waiter *w, enum wait_mode mode)
{
	struct thread *self = current;

	w->thread = self;
	w->wake = NULL;
	w->woken = false;
	self->wait_on = q;
	thread_prepare_sleep(mode);
	spin_lock_irq(&q->lock);
	list_add_tail(&w->link, &q->waiters);
	spin_unlock_irq(&q->lock);
	smp_mb();
}

/* waitq_remove - take it off again. Harmless when a waker did, which has then finished with it. */
void waitq_remove(struct waitq *q, struct waiter *w)
{
	unsigned long irq;

	current->wait_on = NULL;
	if (likely(atomic_load_acquire(&w->woken)))
		return;
	irq = spin_lock_irqsave(&q->lock);
	list_del(&w->link);
	spin_unlock_irqrestore(&q->lock, irq);
}

/* waitq_cancel - the condition came true before it slept. Had somebody woken it for what another waiter is
 * still to get, that one would sleep on. */
void waitq_cancel(struct waitq *q, struct waiter *w)
{
	waitq_remove(q, w);
	if (unlikely(w->woken))
		waitq_wake(q, 1);
}

void waitq_watch(struct waitq *q, struct waiter *w)
{
	unsigned long irq = spin_lock_irqsave(&q->lock);
	struct list_head *before = q->waiters.next;

	/* In front of all, or, for one that may not be told, behind the other watchers. */
	if (w->exclusive)
		while (before != &q->waiters && list_entry(before, struct waiter, link)->wake)
			before = before->next;
	list_add_tail(&w->link, before);
	spin_unlock_irqrestore(&q->lock, irq);
	smp_mb();
}

void waitq_unwatch(struct waitq *q, struct waiter *w)
{
	unsigned long irq = spin_lock_irqsave(&q->lock);

	list_del(&w->link);
	spin_unlock_irqrestore(&q->lock, irq);
}

/* take_sleeper - off its queue, by list_del or with all others; its thread, to be woken. The waiter may be gone once it is
 * marked, so the thread is looked up before. */
static ALWAYS_INLINE struct thread *take_sleeper(struct waiter *w)
{
	struct thread *thread = w->thread;

	atomic_store_release(&w->woken, true);
	return thread;
}

unsigned waitq_wake_locked(struct waitq *q, unsigned n)
{
	struct waiter *w, *next;
	bool acted = false;
	unsigned woken = 0;

	list_for_each_safe (w, next, &q->waiters, link) {
		if (w->wake) {
			if (!w->exclusive)
				w->wake(w);
			else if (!acted)
				acted = w->wake(w) && n != ~0u;
			continue;
		}
		if (woken == n)
			break;
		list_del(&w->link);
		thread_wake_queued(take_sleeper(w));
		woken++;
	}
	return woken;
}

static NOINLINE unsigned wake_many(struct waitq *q, unsigned n, unsigned long irq)
{
	unsigned woken = waitq_wake_locked(q, n);

	spin_unlock_irqrestore(&q->lock, irq);
	return woken;
}

/* A sleeper that is alone is woken when the queue is free again. */
static NOINLINE unsigned wake_some(struct waitq *q, unsigned n)
{
	unsigned long irq = spin_lock_irqsave(&q->lock);
	struct waiter *w = list_first(&q->waiters, struct waiter, link);
	struct thread *thread;

	if (unlikely(!w || w->wake || w->link.next != &q->waiters || !n))
		return wake_many(q, n, irq);
	list_init(&q->waiters);
	thread = take_sleeper(w);
	spin_unlock(&q->lock);
	thread_wake_queued(thread);
	cpu_irq_restore(irq);
	return 1;
}

/* waitq_wake - wake up to n waiters, oldest first; the condition has been made true before.
 *  context: any; takes the queue's lock and a run queue's   returns: how many were woken */
unsigned waitq_wake(struct waitq *q, unsigned n)
{
	/* Nobody there: the usual case for pipes and futexes. The barrier is the waker's half of the order
	 * that the head of this file describes. */
	smp_mb();
	return READ_ONCE(q->waiters.next) == &q->waiters ? 0 : wake_some(q, n);
}

static inline bool wait_interrupted(const struct thread *self)
{
	if (likely(self->sleep_mode == WAIT_INTERRUPTIBLE))
		return signal_pending(self);
	return self->sleep_mode == WAIT_KILLABLE && signal_fatal(self);
}

/* wait_step - see wait.h. The thread has declared that it sleeps, so a signal sent from now on wakes it;
 * one sent before is seen here. */
int wait_step(u64 deadline_ns)
{
	struct thread *self = current;
	bool in_time = true;

	if (wait_interrupted(self))
		thread_cancel_sleep();
	else if (deadline_ns)
		in_time = thread_sleep_until(deadline_ns);
	else
		thread_sleep();
	if (wait_interrupted(self))
		return -EINTR;
	return in_time ? 0 : -ETIMEDOUT;
}
