/* SPDX-License-Identifier: MIT */
/*
 * itimer.c - getitimer, setitimer, alarm, and the timers of a process as a whole.
 *
 * ITIMER_REAL is the interval of process_timers; its signal is SIGALRM, and as with Linux the next period begins when
 * that is taken, so that one which is ignored or never taken comes only once.
 */
#include <uapi/errno.h>
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/timespec.h"
#include "kernel/uaccess.h"
#include "kernel/user_timers.h"
#include "mm/phys/slab.h"

#define ITIMER_REAL    0
#define ITIMER_VIRTUAL 1
#define ITIMER_PROF    2

/* --- the timers of a process ------------------------------------------------------------------------- */

static void real_fire(struct interval *i)
{
	work_queue(&container_of(i, struct process_timers, real)->real_work);
}

static void real_send(struct work *w)
{
	struct process_timers *t = container_of(w, struct process_timers, real_work);
	struct uapi_siginfo info = {.si_signo = SIGALRM, .si_code = SI_KERNEL};

	signal_send_process(t->proc, &info);
}

static struct process_timers *timers_create(struct process *p)
{
	struct process_timers *t = kmalloc(sizeof(*t), PA_ZERO);

	if (!t)
		return NULL;
	t->proc = p;
	interval_init(&t->real, false, real_fire, NULL);
	work_init(&t->real_work, real_send);
	list_init(&t->posix);
	return t;
}

struct process_timers *process_timers_get(void)
{
	struct process *p = current_process;
	struct process_timers *t;

	if (p->timers)
		return p->timers;
	t = timers_create(p);
	if (!t)
		return NULL;
	spin_lock(&p->lock);
	if (!p->timers) {
		p->timers = t;
		t = NULL;
	}
	spin_unlock(&p->lock);
	kfree(t); /* another thread was faster */
	return p->timers;
}

static void free_after_readers(struct rcu_head *head)
{
	kfree(container_of(head, struct process_timers, rcu));
}

void process_timers_release(struct process *p)
{
	struct process_timers *t = p->timers;

	if (!t)
		return;
	posix_timers_delete_all(p);
	interval_stop(&t->real);
	work_cancel(&t->real_work);
	p->timers = NULL;
	rcu_call(&t->rcu, free_after_readers);
}

void process_timers_taken(struct process *p, struct uapi_siginfo *info)
{
	struct process_timers *t = p->timers;
	unsigned long irq;

	assert_held(&p->lock);
	if (!t)
		return;
	if (info->si_code == SI_TIMER) {
		posix_timer_taken(t, info);
		return;
	}
	irq = spin_lock_irqsave(&t->real.queue.lock);
	interval_collect_locked(&t->real, 0);
	spin_unlock_irqrestore(&t->real.queue.lock, irq);
}

/* --- one of the three -------------------------------------------------------------------------------- */

/* swap_real - what is set; with to, set that. */
static void swap_real(struct process_timers *t, const struct interval_state *to,
		      struct interval_state *old)
{
	unsigned long irq = spin_lock_irqsave(&t->real.queue.lock);

	interval_get_locked(&t->real, old);
	if (t->real.fired)
		old->left = 0; /* it waits to be taken note of */
	if (to)
		interval_set_locked(&t->real, to->left, to->period, false);
	spin_unlock_irqrestore(&t->real.queue.lock, irq);
}

static void swap_cpu(struct process *p, struct cpu_itimer *c, const struct interval_state *to,
		     struct interval_state *old)
{
	u64 now, user;

	spin_lock(&p->lock);
	now = process_cpu_time_locked(p, &user);
	if (c == &p->timers->cpu[CPU_ITIMER_VIRTUAL])
		now = user;
	old->period = c->period;
	old->left = !c->expiry ? 0 : c->expiry > now ? c->expiry - now : 1;
	if (to)
		*c = (struct cpu_itimer){to->left ? now + to->left : 0, to->period};
	spin_unlock(&p->lock);
	if (to && to->left)
		cpu_timers_start(p);
}

static int swap(int which, const struct interval_state *to, struct interval_state *old)
{
	struct process_timers *t;

	if (which < ITIMER_REAL || which > ITIMER_PROF)
		return -EINVAL;
	t = process_timers_get();
	if (!t)
		return -ENOMEM;
	if (which == ITIMER_REAL)
		swap_real(t, to, old);
	else
		swap_cpu(current_process,
			 &t->cpu[which == ITIMER_PROF ? CPU_ITIMER_PROF : CPU_ITIMER_VIRTUAL], to,
			 old);
	return 0;
}

/* --- system calls ------------------------------------------------------------------------------------ */

struct uapi_itimerval {
	struct uapi_timeval it_interval, it_value;
};

static int put_state(vaddr_t out, struct interval_state *s)
{
	struct uapi_itimerval v;

	if (s->left && s->left < NSEC_PER_USEC)
		s->left = NSEC_PER_USEC; /* 0 would say that it is not set */
	v.it_interval = timeval_from_ns(s->period);
	v.it_value = timeval_from_ns(s->left);
	return copy_to_user(out, &v, sizeof(v));
}

static int get_state(vaddr_t in, struct interval_state *s)
{
	struct uapi_itimerval v = {0};

	if (in && copy_from_user(&v, in, sizeof(v)))
		return -EFAULT;
	if (v.it_value.tv_usec >= 1000000 || v.it_interval.tv_usec >= 1000000)
		return -EINVAL;
	if (timeval_to_ns(&v.it_value, &s->left) || timeval_to_ns(&v.it_interval, &s->period))
		return -EINVAL;
	return 0;
}

long sys_getitimer(int which, vaddr_t out)
{
	struct interval_state now;
	int err = swap(which, NULL, &now);

	return err ? err : put_state(out, &now);
}

long sys_setitimer(int which, vaddr_t in, vaddr_t out)
{
	struct interval_state to, old;
	int err = get_state(in, &to);

	if (!err)
		err = swap(which, &to, &old);
	return !err && out ? put_state(out, &old) : err;
}

/* What was left is rounded, but an alarm that is set has at least a second. */
long itimer_alarm(u32 seconds)
{
	struct interval_state to = {.left = seconds * NSEC_PER_SEC}, old;
	u64 left;

	if (swap(ITIMER_REAL, &to, &old))
		return 0;
	left = (old.left + NSEC_PER_SEC / 2) / NSEC_PER_SEC;
	return (long)(old.left && !left ? 1 : left);
}
