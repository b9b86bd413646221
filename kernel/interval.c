/* SPDX-License-Identifier: MIT */
/*
 * interval.c - see interval.h.
 *
 * The kernel's timer may ring late, early (the clock was set back) or for an expiry that is no longer meant. So its
 * callback only says that it is time to look: check_locked finds out what is true now.
 */
#include "kernel/interval.h"

#include <uapi/errno.h>
#include "kernel/timespec.h"
#include "kernel/uaccess.h"

static u64 now_of(const struct interval *i)
{
	return i->absolute ? time_realtime() : time_now();
}

static void arm_locked(struct interval *i)
{
	timer_arm(&i->timer, time_deadline_absolute(i->expiry, i->absolute));
}

static void check_locked(struct interval *i)
{
	if (!i->expiry || i->fired)
		return;
	if (now_of(i) < i->expiry) {
		arm_locked(i);
		return;
	}
	i->fired = true;
	if (i->fire)
		i->fire(i);
}

static void interval_rings(struct timer *t)
{
	struct interval *i = container_of(t, struct interval, timer);

	spin_lock(&i->queue.lock);
	check_locked(i);
	spin_unlock(&i->queue.lock);
}

/* The lock of the queue that this watches is held. */
static bool interval_notice_clock(struct waiter *w)
{
	struct interval *i = container_of(w, struct interval, watcher);

	spin_lock_nested(&i->queue.lock);
	if (i->clock_set)
		i->clock_set(i);
	if (i->absolute)
		check_locked(i);
	spin_unlock(&i->queue.lock);
	return false;
}

void interval_init(struct interval *i, bool realtime, void (*fire)(struct interval *),
		   void (*clock_set)(struct interval *))
{
	waitq_init(&i->queue);
	timer_init(&i->timer, interval_rings);
	i->fire = fire;
	i->clock_set = clock_set;
	i->realtime = realtime;
	i->absolute = i->fired = false;
	i->expiry = i->period = 0;
	i->watcher.wake = interval_notice_clock;
	i->watcher.exclusive = false;
	if (realtime)
		waitq_watch(&time_was_set, &i->watcher);
}

void interval_stop(struct interval *i)
{
	unsigned long irq;

	if (i->realtime)
		waitq_unwatch(&time_was_set, &i->watcher);
	irq = spin_lock_irqsave(&i->queue.lock);
	i->expiry = 0;
	i->fired = false; /* or whoever is about to collect it would arm it again */
	spin_unlock_irqrestore(&i->queue.lock, irq);
	/* One that is ringing for an earlier setting, on another CPU, will find nothing to do. */
	timer_cancel(&i->timer);
}

void interval_set_locked(struct interval *i, u64 left, u64 period, bool absolute)
{
	i->fired = false;
	i->period = period;
	i->absolute = absolute && i->realtime;
	i->expiry = left && !absolute ? time_now() + left : left;
	if (i->expiry)
		arm_locked(i);
}

void interval_get_locked(const struct interval *i, struct interval_state *s)
{
	u64 now = now_of(i);

	s->period = i->period;
	if (!i->expiry || (i->fired && !i->period))
		s->left = 0;
	else if (now < i->expiry)
		s->left = i->expiry - now;
	else if (i->period)
		s->left = i->period - (now - i->expiry) % i->period;
	else
		s->left = 1; /* it is just about to */
}

u64 interval_collect_locked(struct interval *i, u64 min)
{
	u64 now = now_of(i), n = 1;

	if (!i->fired)
		return 0;
	i->fired = false;
	if (!i->period) {
		i->expiry = 0;
		return 1;
	}
	if (now + min > i->expiry)
		n += (now + min - i->expiry) / i->period;
	i->expiry += n * i->period;
	arm_locked(i);
	return n;
}

int interval_state_from_user(vaddr_t from, struct interval_state *s)
{
	struct uapi_itimerspec spec;

	if (copy_from_user(&spec, from, sizeof(spec)))
		return -EFAULT;
	if (timespec_to_ns(&spec.it_interval, &s->period) ||
	    timespec_to_ns(&spec.it_value, &s->left))
		return -EINVAL;
	return 0;
}

int interval_state_to_user(vaddr_t to, const struct interval_state *s)
{
	struct uapi_itimerspec spec = {timespec_from_ns(s->period), timespec_from_ns(s->left)};

	return copy_to_user(to, &spec, sizeof(spec));
}
