/* SPDX-License-Identifier: MIT */
/*
 * epoll_wait.c - from a wake-up to an event in user memory.
 *
 * Items are taken from the front of the list of ready ones; one that is still ready and neither edge-triggered
 * nor one-shot goes back to its end, so that each gets its turn when there is not room for all. A waker may put
 * an item back while it is being asked; then it is asked once more, in vain at worst.
 *
 * One thread is woken for an item. If it leaves others on the list, it wakes the next thread.
 */
#include <uapi/errno.h>
#include "fs/epoll_internal.h"
#include "fs/poll_wait.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/timespec.h"
#include "kernel/uaccess.h"
#include "lib/atomic.h"

/* --- the list of ready items ------------------------------------------------------------------------- */

static void queue_item_locked(struct epoll_item *item, bool in_front)
{
	struct epoll *ep = item->ep;

	if (!list_empty(&item->ready))
		return;
	if (in_front)
		list_add(&item->ready, &ep->ready);
	else
		list_add_tail(&item->ready, &ep->ready);
	atomic_store(&ep->nr_ready, ep->nr_ready + 1);
}

static void drop_item_locked(struct epoll_item *item)
{
	list_del(&item->ready);
	atomic_store(&item->ep->nr_ready, item->ep->nr_ready - 1);
}

void epoll_queue_item(struct epoll_item *item, bool in_front)
{
	unsigned long irq = spin_lock_irqsave(&item->ep->queue.lock);

	queue_item_locked(item, in_front);
	spin_unlock_irqrestore(&item->ep->queue.lock, irq);
}

void epoll_drop_item(struct epoll_item *item)
{
	unsigned long irq = spin_lock_irqsave(&item->ep->queue.lock);

	if (!list_empty(&item->ready))
		drop_item_locked(item);
	spin_unlock_irqrestore(&item->ep->queue.lock, irq);
}

struct epoll_item *epoll_take_item(struct epoll *ep)
{
	unsigned long irq = spin_lock_irqsave(&ep->queue.lock);
	struct epoll_item *item = NULL;

	if (!list_empty(&ep->ready)) {
		item = list_first(&ep->ready, struct epoll_item, ready);
		drop_item_locked(item);
	}
	spin_unlock_irqrestore(&ep->queue.lock, irq);
	return item;
}

/* The source's queue is locked, and what is taken here lies further up in the graph of epolls. */
bool epoll_notice(struct waiter *w)
{
	struct epoll_watcher *watcher = container_of(w, struct epoll_watcher, waiter);
	struct epoll_item *item = watcher->item;
	struct epoll *ep = item->ep;
	unsigned woken;

	if (!(READ_ONCE(item->events) & watcher->events & ~EPOLL_FLAGS))
		return false;
	spin_lock_nested(&ep->queue.lock);
	queue_item_locked(item, false);
	woken = waitq_wake_locked(&ep->queue, 1);
	spin_unlock(&ep->queue.lock);
	smp_mb();
	if (!list_empty(&ep->watchers.waiters)) {
		spin_lock_nested(&ep->watchers.lock);
		waitq_wake_locked(&ep->watchers, 1);
		spin_unlock(&ep->watchers.lock);
	}
	return woken;
}

u32 epoll_poll(struct file *f, struct poll_request *r)
{
	struct epoll *ep = f->private_data;
	struct epoll_item *item;
	u32 ready = 0;

	poll_wait(r, &ep->watchers);
	smp_mb();
	if (!atomic_load(&ep->nr_ready))
		return 0;
	mutex_lock_nested(&ep->lock);
	while (!ready && (item = epoll_take_item(ep))) {
		if (epoll_item_poll(item, NULL)) {
			epoll_queue_item(item, true);
			ready = POLLIN | POLLRDNORM;
		}
	}
	mutex_unlock(&ep->lock);
	return ready;
}

/* --- harvesting -------------------------------------------------------------------------------------- */

/* report - one item, which was taken off the list. 1, 0 when it is not ready after all, -EFAULT. */
static int report(struct epoll_item *item, vaddr_t to)
{
	struct uapi_epoll_event event = {
		.events = epoll_item_poll(item, NULL),
		.data = item->data,
	};

	if (!event.events)
		return 0;
	if (copy_to_user(to, &event, sizeof(event))) {
		epoll_queue_item(item, true);
		return -EFAULT;
	}
	if (item->events & EPOLLONESHOT)
		WRITE_ONCE(item->events, item->events & EPOLL_FLAGS);
	else if (!(item->events & EPOLLET))
		epoll_queue_item(item, false);
	return 1;
}

/* harvest - up to max events of items that are on the list now. How many, or -EFAULT. */
static int harvest(struct epoll *ep, vaddr_t to, int max)
{
	struct epoll_item *item;
	int n = 0, err = 0;

	mutex_lock(&ep->lock);
	for (u32 left = atomic_load(&ep->nr_ready); left && n < max; left--) {
		item = epoll_take_item(ep);
		if (!item)
			break;
		err = report(item, to + (u64)n * sizeof(struct uapi_epoll_event));
		if (err < 0)
			break;
		n += err;
	}
	mutex_unlock(&ep->lock);
	if (atomic_load(&ep->nr_ready))
		waitq_wake(&ep->queue, 1);
	return n ? n : MIN(err, 0);
}

/* wait_and_harvest - until there is something to report. */
static int wait_and_harvest(struct epoll *ep, vaddr_t to, int max, u64 deadline)
{
	for (;;) {
		int n = atomic_load(&ep->nr_ready) ? harvest(ep, to, max) : 0;

		if (n || deadline == POLL_NO_WAIT)
			return n;
		n = wait_event_deadline(&ep->queue, atomic_load(&ep->nr_ready), WAIT_INTERRUPTIBLE,
					deadline);
		if (n)
			return n == -ETIMEDOUT ? 0 : n;
	}
}

/* --- system calls ------------------------------------------------------------------------------------ */

static long do_wait(int epfd, vaddr_t events, int max, u64 deadline)
{
	struct file *f;
	bool counted;
	long n = -EINVAL;

	if (max <= 0 || (u32)max > INT32_MAX / sizeof(struct uapi_epoll_event))
		return -EINVAL;
	if (!user_range_ok(events, (u64)max * sizeof(struct uapi_epoll_event)))
		return -EFAULT;
	f = fd_borrow(epfd, &counted);
	if (!f)
		return -EBADF;
	if (file_is_epoll(f))
		n = wait_and_harvest(f->private_data, events, max, deadline);
	fd_return(f, counted);
	return n;
}

static u64 deadline_ms(int ms)
{
	return ms < 0 ? POLL_FOREVER : poll_deadline((u64)ms * NSEC_PER_MSEC);
}

static long wait_with_mask(int epfd, vaddr_t events, int max, u64 deadline, vaddr_t mask, u64 size)
{
	long result = signal_use_mask(mask, size);

	if (result)
		return result;
	result = do_wait(epfd, events, max, deadline);
	/* The signal that came is delivered with the mask of the call. */
	if (result != -EINTR || !signal_pending(current))
		signal_end_mask(result);
	return result;
}

long sys_epoll_pwait(int epfd, vaddr_t events, int max, int timeout_ms, vaddr_t mask, u64 size)
{
	return wait_with_mask(epfd, events, max, deadline_ms(timeout_ms), mask, size);
}

long sys_epoll_pwait2(int epfd, vaddr_t events, int max, vaddr_t timeout, vaddr_t mask, u64 size)
{
	u64 deadline;
	int err = poll_user_deadline(timeout, &deadline);

	return err ? err : wait_with_mask(epfd, events, max, deadline, mask, size);
}
