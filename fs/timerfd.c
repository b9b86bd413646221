/* SPDX-License-Identifier: MIT */
/*
 * timerfd.c - timers that are read: each read gives the number of times the timer fired since the last one.
 *
 * All state is under the lock of the interval's wait queue, on which readers sleep.
 */
#include <uapi/capability.h>
#include <uapi/errno.h>
#include <uapi/time.h>
#include "fs/file.h"
#include "fs/poll.h"
#include "kernel/cred.h"
#include "kernel/interval.h"
#include "kernel/rcu.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "mm/phys/slab.h"

#define TFD_TIMER_ABSTIME       1
#define TFD_TIMER_CANCEL_ON_SET 2

struct timerfd {
	struct interval interval;
	bool alarm;         /* [i] needs a privilege to be set */
	u64 ticks;          /* counted, and not read */
	bool cancel_on_set; /* a change of the clock cancels it */
	bool cancelled;
	struct rcu_head rcu;
};

static struct timerfd *timerfd_of(struct interval *i)
{
	return container_of(i, struct timerfd, interval);
}

static void timerfd_fire(struct interval *i)
{
	waitq_wake_locked(&i->queue, ~0u);
}

static void timerfd_clock_set(struct interval *i)
{
	struct timerfd *t = timerfd_of(i);

	if (!t->cancel_on_set)
		return;
	t->cancelled = true;
	waitq_wake_locked(&i->queue, ~0u);
}

static bool is_readable(const struct timerfd *t)
{
	return READ_ONCE(t->interval.fired) || READ_ONCE(t->ticks) || READ_ONCE(t->cancelled);
}

/* take - what a read gets. Ticks, 0: nothing yet, -ECANCELED. */
static s64 take(struct timerfd *t)
{
	unsigned long irq = spin_lock_irqsave(&t->interval.queue.lock);
	s64 n = (s64)(t->ticks + interval_collect_locked(&t->interval, 0));

	t->ticks = 0;
	if (t->cancelled)
		n = -ECANCELED;
	t->cancelled = false;
	spin_unlock_irqrestore(&t->interval.queue.lock, irq);
	return n;
}

static ssize_t timerfd_read(struct file *f, struct uio *uio, u64 *pos)
{
	struct timerfd *t = f->private_data;
	s64 n;

	(void)pos;
	if (uio->left < sizeof(n))
		return -EINVAL;
	while (!(n = take(t))) {
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event(&t->interval.queue, is_readable(t), WAIT_INTERRUPTIBLE))
			return -RESTART_SYS;
	}
	if (n < 0)
		return n;
	return uio_put(uio, &n, sizeof(n)) == sizeof(n) ? (ssize_t)sizeof(n) : -EFAULT;
}

static u32 timerfd_poll(struct file *f, struct poll_request *r)
{
	struct timerfd *t = f->private_data;

	poll_wait(r, &t->interval.queue);
	return is_readable(t) ? POLLIN : 0;
}

static void free_after_readers(struct rcu_head *head)
{
	kfree(container_of(head, struct timerfd, rcu));
}

static void timerfd_release(struct file *f)
{
	struct timerfd *t = f->private_data;

	interval_stop(&t->interval);
	rcu_call(&t->rcu, free_after_readers);
}

static const struct file_ops timerfd_ops = {
	.read = timerfd_read,
	.poll = timerfd_poll,
	.release = timerfd_release,
	.seek = anon_file_seek,
	.is_stream = true,
};

/* --- system calls ------------------------------------------------------------------------------------ */

static bool is_alarm(int clock)
{
	return clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM;
}

long sys_timerfd_create(int clock, int flags)
{
	struct timerfd *t;
	int fd;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME &&
	    !is_alarm(clock))
		return -EINVAL;
	if (is_alarm(clock) && !cred_capable(CAP_WAKE_ALARM))
		return -EPERM;
	t = kmalloc(sizeof(*t), PA_ZERO);
	if (!t)
		return -ENOMEM;
	t->alarm = is_alarm(clock);
	interval_init(&t->interval, clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM,
		      timerfd_fire, timerfd_clock_set);
	fd = anon_fd_create("[timerfd]", &timerfd_ops, t,
			    O_RDWR | ((u32)flags & (O_CLOEXEC | O_NONBLOCK)));
	if (fd < 0) {
		interval_stop(&t->interval);
		kfree(t);
	}
	return fd;
}

/* settle - what has fired goes to the ticks, so that the interval shows what comes next. Lock held. */
static void settle_locked(struct timerfd *t, struct interval_state *now)
{
	t->ticks += interval_collect_locked(&t->interval, 0);
	interval_get_locked(&t->interval, now);
}

static int set_time(struct timerfd *t, int flags, const struct interval_state *to,
		    struct interval_state *old)
{
	struct interval *i = &t->interval;
	unsigned long irq;
	int err = 0;

	if (t->alarm && !cred_capable(CAP_WAKE_ALARM))
		return -EPERM;
	irq = spin_lock_irqsave(&i->queue.lock);
	settle_locked(t, old);
	t->ticks = 0;
	t->cancel_on_set =
		i->realtime && (flags & TFD_TIMER_ABSTIME) && (flags & TFD_TIMER_CANCEL_ON_SET);
	interval_set_locked(i, to->left, to->period, flags & TFD_TIMER_ABSTIME);
	if (t->cancelled && t->cancel_on_set && to->left)
		err = -ECANCELED;
	t->cancelled = false;
	spin_unlock_irqrestore(&i->queue.lock, irq);
	return err;
}

/* timerfd_get - the timer behind a descriptor; *file is to be put. */
static int timerfd_get(int fd, struct file **file, struct timerfd **out)
{
	struct file *f = fd_get(fd);

	if (!f)
		return -EBADF;
	if (f->ops != &timerfd_ops) {
		file_put(f);
		return -EINVAL;
	}
	*file = f;
	*out = f->private_data;
	return 0;
}

long sys_timerfd_settime(int fd, int flags, vaddr_t unew, vaddr_t uold)
{
	struct interval_state to, old;
	struct timerfd *t;
	struct file *f;
	int err;

	if (!unew || (flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)))
		return unew ? -EINVAL : -EFAULT;
	err = interval_state_from_user(unew, &to);
	if (!err)
		err = timerfd_get(fd, &f, &t);
	if (err)
		return err;
	err = set_time(t, flags, &to, &old);
	file_put(f);
	if (!err && uold)
		err = interval_state_to_user(uold, &old);
	return err;
}

long sys_timerfd_gettime(int fd, vaddr_t out)
{
	struct interval_state now;
	struct timerfd *t;
	unsigned long irq;
	struct file *f;
	int err = timerfd_get(fd, &f, &t);

	if (err)
		return err;
	irq = spin_lock_irqsave(&t->interval.queue.lock);
	settle_locked(t, &now);
	spin_unlock_irqrestore(&t->interval.queue.lock, irq);
	file_put(f);
	return interval_state_to_user(out, &now);
}
