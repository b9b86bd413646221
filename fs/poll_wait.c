/* SPDX-License-Identifier: MIT */
/*
 * poll_wait.c - the loop under poll and select, and its watchers.
 *
 * No change is lost: watchers are on the queues before the second scan looks, and whoever makes a file ready
 * does so before waking its queue. A watcher that was told says so to its poller and wakes the thread; what is
 * ready is found out by asking all files again.
 *
 * The first few watchers lie on the stack, so that waiting for a handful of files allocates nothing.
 */
#include "fs/poll_wait.h"

#include <uapi/errno.h>
#include "kernel/process.h"
#include "lib/atomic.h"
#include "mm/phys/slab.h"

#define CHUNK_WATCHERS ((PAGE_SIZE - sizeof(void *) * 2) / sizeof(struct poll_watcher))

struct poll_chunk {
	struct poll_chunk *next;
	unsigned used;
	struct poll_watcher watchers[CHUNK_WATCHERS];
};
BUILD_ASSERT(sizeof(struct poll_chunk) <= PAGE_SIZE, "a chunk is a page");

static bool poller_notice(struct waiter *w)
{
	struct poller *p = container_of(w, struct poll_watcher, waiter)->poller;

	atomic_store(&p->triggered, true);
	thread_wake(p->thread);
	return false;
}

static struct poll_watcher *watcher_alloc(struct poller *p)
{
	struct poll_chunk *c = p->chunks;

	if (p->nr_inline < POLL_INLINE_WATCHERS)
		return &p->inline_watchers[p->nr_inline++];
	if (!c || c->used == CHUNK_WATCHERS) {
		c = kmalloc(sizeof(*c), 0);
		if (!c) {
			p->out_of_memory = true;
			return NULL;
		}
		c->used = 0;
		c->next = p->chunks;
		p->chunks = c;
	}
	return &c->watchers[c->used++];
}

static void poller_add(struct poll_request *r, struct waitq *q, u32 events)
{
	struct poller *p = container_of(r, struct poller, request);
	struct poll_watcher *w = watcher_alloc(p);

	(void)events;
	if (!w)
		return;
	file_get(p->file);
	w->waiter.wake = poller_notice;
	w->waiter.exclusive = false;
	w->queue = q;
	w->file = p->file;
	w->poller = p;
	waitq_watch(q, &w->waiter);
}

static void watchers_remove(struct poll_watcher *w, unsigned n)
{
	for (; n; n--, w++) {
		waitq_unwatch(w->queue, &w->waiter);
		file_put(w->file);
	}
}

/* Field by field: most of it is room. */
static void poller_begin(struct poller *p)
{
	p->request.add = poller_add;
	p->thread = current;
	p->triggered = false;
	p->out_of_memory = false;
	p->nr_inline = 0;
	p->chunks = NULL;
}

static void poller_end(struct poller *p)
{
	struct poll_chunk *c, *next;

	watchers_remove(p->inline_watchers, p->nr_inline);
	for (c = p->chunks; c; c = next) {
		next = c->next;
		watchers_remove(c->watchers, c->used);
		kfree(c);
	}
}

/* poller_sleep - until a watcher is told. 0, -EINTR, -ETIMEDOUT. */
static int poller_sleep(struct poller *p, u64 deadline)
{
	thread_prepare_sleep(WAIT_INTERRUPTIBLE);
	if (atomic_load(&p->triggered)) {
		thread_cancel_sleep();
		return 0;
	}
	return wait_step(deadline);
}

static long wait_and_scan(poll_scan scan, void *arg, u64 deadline)
{
	struct poller p;
	long ready;
	int err;

	poller_begin(&p);
	ready = scan(arg, &p);
	err = p.out_of_memory ? -ENOMEM : 0;
	while (!ready && !err) {
		err = poller_sleep(&p, deadline);
		atomic_store(&p.triggered, false);
		smp_mb();
		ready = scan(arg, NULL);
	}
	poller_end(&p);
	return ready ? ready : err == -ETIMEDOUT ? 0 : err;
}

long poll_until_ready(poll_scan scan, void *arg, u64 deadline)
{
	long ready = scan(arg, NULL);

	if (ready || deadline == POLL_NO_WAIT)
		return ready;
	return wait_and_scan(scan, arg, deadline);
}
