/* SPDX-License-Identifier: MIT */
/*
 * work.c - the thread that calls what others may not call where they are.
 *
 * The lock of the thread's wait queue guards the list and the one that is being called.
 */
#include "kernel/work.h"

#include <arch/cpu.h>
#include <quire/assert.h>
#include "kernel/thread.h"
#include "kernel/wait.h"

static struct waitq queue = WAITQ_INIT(queue);
static struct waitq done = WAITQ_INIT(done);
static struct list_head pending = LIST_INIT(pending); /* [queue.lock] */
static struct work *running;                          /* [queue.lock], read lockless */

void work_queue(struct work *w)
{
	unsigned long irq = cpu_irq_save();

	spin_lock_nested(&queue.lock);
	if (list_empty(&w->link)) {
		list_add_tail(&w->link, &pending);
		waitq_wake_locked(&queue, 1);
	}
	spin_unlock_irqrestore(&queue.lock, irq);
}

void work_cancel(struct work *w)
{
	unsigned long irq = spin_lock_irqsave(&queue.lock);

	list_del(&w->link);
	spin_unlock_irqrestore(&queue.lock, irq);
	(void)wait_event(&done, READ_ONCE(running) != w, WAIT_UNINTERRUPTIBLE);
}

/* next - the oldest one, which is now running; NULL: none is waiting. */
static struct work *next(void)
{
	unsigned long irq = spin_lock_irqsave(&queue.lock);
	struct work *w = NULL;

	if (!list_empty(&pending)) {
		w = list_first(&pending, struct work, link);
		list_del(&w->link);
	}
	WRITE_ONCE(running, w);
	spin_unlock_irqrestore(&queue.lock, irq);
	waitq_wake_all(&done);
	return w;
}

static void work_thread(void *arg)
{
	struct work *w;

	(void)arg;
	for (;;) {
		(void)wait_event(&queue, !list_empty(&pending), WAIT_UNINTERRUPTIBLE);
		while ((w = next()))
			w->fn(w);
	}
}

void work_start(void)
{
	struct thread *t;

	if (thread_create(&t, "work", work_thread, NULL))
		panic("no memory for the work thread");
	thread_wake(t);
	thread_put(t);
}
