/* SPDX-License-Identifier: MIT */
/*
 * posix_timer.c - timer_create(2) and its relatives: any number of timers for each process, with signals of choice.
 *
 * A timer has at most one signal on its way (`sent`). When that is taken, the periods that went by are counted, and the
 * next one is armed. A signal that is ignored, or found one like it pending, is counted and the timer goes on,
 * at no more than PAUSE_NS.
 *
 * Timers are found, set and taken note of under the process's lock.
 */
#include <uapi/errno.h>
#include <uapi/time.h>
#include <uapi/timer.h>
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"
#include "kernel/user_timers.h"
#include "mm/phys/slab.h"

#define PAUSE_NS (4 * NSEC_PER_MSEC)

struct posix_timer {
	struct list_head link;      /* [process lock] in process_timers.posix */
	s32 id;                     /* [i] */
	s32 notify, sig;            /* [i] */
	u64 value;                  /* [i] for the receiver */
	struct process *proc;       /* [i] */
	struct user_thread *thread; /* [i] a reference; NULL: whichever takes the signal */
	struct interval interval;
	struct work work;
	bool sent;   /* [process lock] a signal is on its way */
	u64 missed;  /* [process lock] periods for which there was none */
	s32 overrun; /* [process lock] of the signal that was taken last */
	struct rcu_head rcu;
};

/* --- firing ------------------------------------------------------------------------------------------ */

static void posix_timer_fire(struct interval *i)
{
	struct posix_timer *t = container_of(i, struct posix_timer, interval);

	if (t->notify != SIGEV_NONE)
		work_queue(&t->work);
}

static u64 collect(struct posix_timer *t, u64 min)
{
	unsigned long irq = spin_lock_irqsave(&t->interval.queue.lock);
	u64 n = interval_collect_locked(&t->interval, min);

	spin_unlock_irqrestore(&t->interval.queue.lock, irq);
	return n;
}

static void posix_timer_send(struct work *w)
{
	struct posix_timer *t = container_of(w, struct posix_timer, work);
	struct process *p = t->proc;
	struct uapi_siginfo info = {.si_signo = t->sig, .si_code = SI_TIMER};

	info.si_timerid = t->id;
	info.si_value = t->value;
	spin_lock(&p->lock);
	t->sent = signal_send_counted_locked(p, t->thread, &info);
	if (!t->sent)
		t->missed += collect(t, PAUSE_NS);
	spin_unlock(&p->lock);
}

/* find - needs the process lock. */
static struct posix_timer *find(struct process *p, s32 id)
{
	struct posix_timer *t;

	if (p->timers)
		list_for_each (t, &p->timers->posix, link)
			if (t->id == id)
				return t;
	return NULL;
}

void posix_timer_taken(struct process_timers *timers, struct uapi_siginfo *info)
{
	struct posix_timer *t = find(timers->proc, info->si_timerid);
	u64 n;

	if (!t || !t->sent || t->sig != info->si_signo)
		return; /* deleted, or made up by somebody */
	t->sent = false;
	n = t->missed + collect(t, 0);
	t->missed = 0;
	t->overrun = n ? (s32)MIN(n - 1, INT32_MAX) : 0;
	info->si_overrun = t->overrun;
}

/* --- making and deleting ----------------------------------------------------------------------------- */

static int check_event(const struct uapi_sigevent *e)
{
	switch (e->sigev_notify) {
	case SIGEV_SIGNAL:
	case SIGEV_THREAD:
	case SIGEV_SIGNAL | SIGEV_THREAD_ID:
		return e->sigev_signo >= 1 && e->sigev_signo <= NSIG ? 0 : -EINVAL;
	case SIGEV_NONE:
		return 0;
	default:
		return -EINVAL;
	}
}

static int check_clock(int clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
		return 0;
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_PROCESS_CPUTIME_ID:
	case CLOCK_THREAD_CPUTIME_ID:
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}

static void free_after_readers(struct rcu_head *head)
{
	kfree(container_of(head, struct posix_timer, rcu));
}

/* destroy - one that is on no list any more. Sleeps. */
static void destroy(struct posix_timer *t)
{
	interval_stop(&t->interval);
	work_cancel(&t->work);
	if (t->thread)
		user_thread_put(t->thread);
	rcu_call(&t->rcu, free_after_readers);
}

/* thread_for - the thread that SIGEV_THREAD_ID names, one of our own. */
static int thread_for(const struct uapi_sigevent *e, struct user_thread **out)
{
	struct user_thread *u;

	*out = NULL;
	if (e->sigev_notify != (SIGEV_SIGNAL | SIGEV_THREAD_ID))
		return 0;
	u = e->sigev_tid > 0 ? thread_find((u32)e->sigev_tid) : NULL;
	if (u && u->proc != current_process) {
		user_thread_put(u);
		u = NULL;
	}
	*out = u;
	return u ? 0 : -EINVAL;
}

static int create(const struct uapi_sigevent *e, int clock, struct posix_timer **out)
{
	struct posix_timer *t = kmalloc(sizeof(*t), PA_ZERO);
	int err = t ? thread_for(e, &t->thread) : -EAGAIN;

	if (err) {
		kfree(t);
		return err;
	}
	t->notify = e->sigev_notify;
	t->sig = e->sigev_signo;
	t->value = e->sigev_value;
	t->proc = current_process;
	interval_init(&t->interval, clock == CLOCK_REALTIME, posix_timer_fire, NULL);
	work_init(&t->work, posix_timer_send);
	*out = t;
	return 0;
}

/* add - into the list, with a number of its own. -EAGAIN: too many. */
static int add(struct process_timers *timers, struct posix_timer *t, bool value_is_id)
{
	struct process *p = timers->proc;
	int err = 0;

	spin_lock(&p->lock);
	if (timers->nr_posix >= process_limit(p, RLIMIT_SIGPENDING)) {
		err = -EAGAIN;
	} else {
		do {
			t->id = (s32)(timers->next_id++ & INT32_MAX);
		} while (find(p, t->id));
		if (value_is_id)
			t->value = (u32)t->id;
		timers->nr_posix++;
		list_add_tail(&t->link, &timers->posix);
	}
	spin_unlock(&p->lock);
	return err;
}

/* take - off the list; NULL: there is none of that number. id < 0: any. */
static struct posix_timer *take(struct process *p, s32 id)
{
	struct posix_timer *t;

	spin_lock(&p->lock);
	t = find(p, id);
	if (id < 0 && p->timers && !list_empty(&p->timers->posix))
		t = list_first(&p->timers->posix, struct posix_timer, link);
	if (t) {
		list_del(&t->link);
		p->timers->nr_posix--;
	}
	spin_unlock(&p->lock);
	return t;
}

void posix_timers_delete_all(struct process *p)
{
	struct posix_timer *t;

	while ((t = take(p, -1)))
		destroy(t);
}

/* --- system calls ------------------------------------------------------------------------------------ */

long sys_timer_create(int clock, vaddr_t uevent, vaddr_t uid)
{
	struct uapi_sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
	struct process_timers *timers;
	struct posix_timer *t;
	int err;

	if (uevent && copy_from_user(&event, uevent, sizeof(event)))
		return -EFAULT;
	err = check_clock(clock);
	if (!err)
		err = check_event(&event);
	if (err)
		return err;
	timers = process_timers_get();
	if (!timers)
		return -EAGAIN;
	err = create(&event, clock, &t);
	if (err)
		return err;
	err = add(timers, t, !uevent);
	if (err) {
		destroy(t);
		return err;
	}
	if (!put_user_u32(uid, (u32)t->id))
		return 0;
	t = take(current_process, t->id);
	if (t)
		destroy(t);
	return -EFAULT;
}

long sys_timer_delete(int id)
{
	struct posix_timer *t = id >= 0 ? take(current_process, id) : NULL;

	if (!t)
		return -EINVAL;
	destroy(t);
	return 0;
}

/* swap - what is set; with to, set that. */
static int swap(int id, bool absolute, const struct interval_state *to, struct interval_state *old)
{
	struct process *p = current_process;
	struct posix_timer *t;
	unsigned long irq;

	spin_lock(&p->lock);
	t = find(p, id);
	if (t) {
		irq = spin_lock_irqsave(&t->interval.queue.lock);
		interval_get_locked(&t->interval, old);
		if (to) {
			interval_set_locked(&t->interval, to->left, to->period, absolute);
			t->sent = false;
			t->missed = 0;
			t->overrun = 0;
		}
		spin_unlock_irqrestore(&t->interval.queue.lock, irq);
	}
	spin_unlock(&p->lock);
	return t ? 0 : -EINVAL;
}

long sys_timer_settime(int id, int flags, vaddr_t in, vaddr_t out)
{
	struct interval_state to, old;
	int err;

	if (!in)
		return -EINVAL;
	err = interval_state_from_user(in, &to);
	if (!err)
		err = swap(id, flags & TIMER_ABSTIME, &to, &old);
	return !err && out ? interval_state_to_user(out, &old) : err;
}

long sys_timer_gettime(int id, vaddr_t out)
{
	struct interval_state now;
	int err = swap(id, false, NULL, &now);

	return err ? err : interval_state_to_user(out, &now);
}

long sys_timer_getoverrun(int id)
{
	struct process *p = current_process;
	struct posix_timer *t;
	long overrun;

	spin_lock(&p->lock);
	t = find(p, id);
	overrun = t ? t->overrun : -EINVAL;
	spin_unlock(&p->lock);
	return overrun;
}
