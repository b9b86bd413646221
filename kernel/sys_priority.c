/* SPDX-License-Identifier: MIT */
/*
 * sys_priority.c - niceness and scheduling policies (sched(7), setpriority(2)).
 *
 * The scheduler divides time by weight, and that is all these calls can change: nice values, and SCHED_IDLE, which is
 * a very small weight. SCHED_BATCH is stored and scheduled as SCHED_OTHER. There are no real-time classes: FIFO, RR
 * and DEADLINE are EPERM for those who could not have them anyway, else EINVAL.
 */
#include <uapi/errno.h>
#include <uapi/resource.h>
#include <uapi/sched.h>
#include <uapi/time.h>
#include "kernel/cred.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/sys_sched.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

#define NICE_MIN (-20)
#define NICE_MAX 19

/* What is asked for: policy -1 leaves it as it is. */
struct sched_request {
	int policy;
	bool reset, keep_nice;
	int nice;
	u32 priority;
};

bool sched_may_change(struct user_thread *u)
{
	const struct cred *self = cred_now(), *c;
	bool same;

	if (u->proc == current_process || cred_has(self, CAP_SYS_NICE))
		return true;
	c = process_cred(u->proc);
	same = self->euid == c->euid || self->euid == c->uid;
	cred_put(c);
	return same;
}

/* may_raise - to a niceness lower than now: RLIMIT_NICE says how far, as 20 - nice. */
static bool may_raise(const struct user_thread *u, int nice)
{
	return nice >= u->thread->nice || cred_capable(CAP_SYS_NICE) ||
	       (u64)(20 - nice) <= process_limit(u->proc, RLIMIT_NICE);
}

static void set_nice(struct user_thread *u, int nice)
{
	sched_set_nice(u->thread, nice, u->sched_policy == SCHED_IDLE);
}

/* --- getpriority, setpriority -------------------------------------------------------------------------- */

/* Called for each thread that is meant. */
struct priority_job {
	int nice;    /* to set */
	long result; /* set: 0 or the last error; get: the largest 20 - nice. -ESRCH: nobody yet */
	void (*visit)(struct priority_job *, struct user_thread *);
};

static void visit_get(struct priority_job *j, struct user_thread *u)
{
	j->result = MAX(j->result, 20 - u->thread->nice);
}

static void visit_set(struct priority_job *j, struct user_thread *u)
{
	if (!sched_may_change(u)) {
		j->result = -EPERM;
	} else if (!may_raise(u, j->nice)) {
		j->result = -EACCES;
	} else {
		set_nice(u, j->nice);
		j->result = j->result == -ESRCH ? 0 : j->result;
	}
}

/* visit_process - threads cannot be visited under the process's lock, which the checks take. */
static void visit_process(struct priority_job *j, struct process *p)
{
	struct user_thread *u, *next;

	spin_lock(&p->lock);
	u = list_first(&p->threads, struct user_thread, link);
	if (u)
		user_thread_get(u);
	spin_unlock(&p->lock);
	while (u) {
		j->visit(j, u);
		spin_lock(&p->lock);
		next = list_empty(&u->link) || u->link.next == &p->threads
			       ? NULL
			       : list_entry(u->link.next, struct user_thread, link);
		if (next)
			user_thread_get(next);
		spin_unlock(&p->lock);
		user_thread_put(u);
		u = next;
	}
}

static void visit_group(struct priority_job *j, int who)
{
	struct pid *group = who ? pid_find((u32)who) : NULL;
	struct process *p;

	if (who && !group)
		return;
	mutex_lock(&process_tree_lock);
	list_for_each (p, group ? &group->group : &current_process->group->group, group_link)
		visit_process(j, p);
	mutex_unlock(&process_tree_lock);
	if (group)
		pid_put(group);
}

static void visit_user(struct priority_job *j, u32 uid)
{
	mutex_lock(&process_tree_lock);
	for (struct process *p = process_init; p; p = process_tree_next(p)) {
		const struct cred *c = process_cred(p);
		bool is_theirs = c->uid == uid;

		cred_put(c);
		if (is_theirs)
			visit_process(j, p);
	}
	mutex_unlock(&process_tree_lock);
}

static long visit_all(struct priority_job *j, int which, int who)
{
	struct user_thread *u;

	switch (which) {
	case PRIO_PROCESS:
		u = sched_find_thread(who);
		if (u) {
			j->visit(j, u);
			user_thread_put(u);
		}
		break;
	case PRIO_PGRP:
		visit_group(j, who);
		break;
	case PRIO_USER:
		visit_user(j, who ? (u32)who : cred_now()->uid);
		break;
	default:
		return -EINVAL;
	}
	return j->result;
}

/* The result is 20 - nice, so that it is never negative. */
long sys_getpriority(int which, int who)
{
	struct priority_job j = {.visit = visit_get, .result = -ESRCH};

	return visit_all(&j, which, who);
}

long sys_setpriority(int which, int who, int nice)
{
	struct priority_job j = {
		.visit = visit_set,
		.result = -ESRCH,
		.nice = MAX(MIN(nice, NICE_MAX), NICE_MIN),
	};

	return visit_all(&j, which, who);
}

/* --- policies ---------------------------------------------------------------------------------------- */

static int check_policy(const struct sched_request *r, int policy)
{
	switch (policy) {
	case SCHED_OTHER:
	case SCHED_BATCH:
	case SCHED_IDLE:
		return r->priority ? -EINVAL : 0;
	case SCHED_FIFO:
	case SCHED_RR:
		if (!r->priority || r->priority > 99)
			return -EINVAL;
		return cred_capable(CAP_SYS_NICE) ? -EINVAL : -EPERM;
	default:
		return -EINVAL;
	}
}

static int check_request(struct user_thread *u, const struct sched_request *r, int policy)
{
	bool leaves_idle = u->sched_policy == SCHED_IDLE && policy != SCHED_IDLE;
	int err = check_policy(r, policy);

	if (err)
		return err;
	if (!sched_may_change(u) || !may_raise(u, r->nice))
		return -EPERM;
	if (cred_capable(CAP_SYS_NICE))
		return 0;
	if (leaves_idle && (u64)(20 - u->thread->nice) > process_limit(u->proc, RLIMIT_NICE))
		return -EPERM;
	return u->sched_reset && !r->reset ? -EPERM : 0; /* a restriction is not taken back */
}

static long change(int tid, struct sched_request *r)
{
	struct user_thread *u;
	int policy;
	long err;

	if (tid < 0)
		return -EINVAL;
	u = sched_find_thread(tid);
	if (!u)
		return -ESRCH;
	policy = r->policy < 0 ? u->sched_policy : r->policy;
	if (r->policy < 0)
		r->reset = r->reset || u->sched_reset;
	if (r->keep_nice)
		r->nice = u->thread->nice;
	err = check_request(u, r, policy);
	if (!err) {
		u->sched_policy = (u8)policy;
		u->sched_reset = r->reset;
		set_nice(u, r->nice);
	}
	user_thread_put(u);
	return err;
}

long sys_sched_setscheduler(int tid, int policy, vaddr_t uparam)
{
	struct sched_request r = {
		.policy = policy & ~SCHED_RESET_ON_FORK,
		.reset = policy & SCHED_RESET_ON_FORK,
		.keep_nice = true,
	};

	if (policy < 0 || !uparam || tid < 0)
		return -EINVAL;
	return get_user_u32(uparam, &r.priority) ? -EFAULT : change(tid, &r);
}

long sys_sched_setparam(int tid, vaddr_t uparam)
{
	struct sched_request r = {.policy = -1, .keep_nice = true};

	if (!uparam || tid < 0)
		return -EINVAL;
	return get_user_u32(uparam, &r.priority) ? -EFAULT : change(tid, &r);
}

long sys_sched_getscheduler(int tid)
{
	struct user_thread *u;
	long policy;

	if (tid < 0)
		return -EINVAL;
	u = sched_find_thread(tid);
	if (!u)
		return -ESRCH;
	policy = u->sched_policy | (u->sched_reset ? SCHED_RESET_ON_FORK : 0);
	user_thread_put(u);
	return policy;
}

long sys_sched_getparam(int tid, vaddr_t uparam)
{
	struct user_thread *u;

	if (!uparam || tid < 0)
		return -EINVAL;
	u = sched_find_thread(tid);
	if (!u)
		return -ESRCH;
	user_thread_put(u);
	return put_user_u32(uparam, 0);
}

/* read_attr - a size that we cannot take is answered with the one that we could. */
static int read_attr(vaddr_t uattr, struct uapi_sched_attr *a)
{
	u32 size;
	int err;

	if (get_user_u32(uattr, &size))
		return -EFAULT;
	size = size ? size : SCHED_ATTR_SIZE_VER0;
	err = size < SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE
		      ? -E2BIG
		      : copy_struct_from_user(a, sizeof(*a), uattr, size);
	if (err == -E2BIG && put_user_u32(uattr, sizeof(*a)))
		return -EFAULT;
	return err;
}

long sys_sched_setattr(int tid, vaddr_t uattr, u32 flags)
{
	struct uapi_sched_attr a;
	struct sched_request r;
	int err;

	if (!uattr || tid < 0 || flags)
		return -EINVAL;
	err = read_attr(uattr, &a);
	if (err)
		return err;
	if ((s32)a.policy < 0 || (a.flags & ~(u64)(SCHED_FLAG_RESET_ON_FORK | SCHED_FLAG_RECLAIM |
						   SCHED_FLAG_DL_OVERRUN | SCHED_FLAG_KEEP_POLICY |
						   SCHED_FLAG_KEEP_PARAMS | SCHED_FLAG_UTIL_CLAMP)))
		return -EINVAL;
	if (a.flags & SCHED_FLAG_UTIL_CLAMP)
		return -EOPNOTSUPP;
	r = (struct sched_request){
		.policy = a.flags & SCHED_FLAG_KEEP_POLICY ? -1 : (int)a.policy,
		.reset = a.flags & SCHED_FLAG_RESET_ON_FORK,
		.keep_nice = a.flags & SCHED_FLAG_KEEP_PARAMS,
		.nice = MAX(MIN(a.nice, NICE_MAX), NICE_MIN),
		.priority = a.flags & SCHED_FLAG_KEEP_PARAMS ? 0 : a.priority,
	};
	return change(tid, &r);
}

long sys_sched_getattr(int tid, vaddr_t uattr, u32 size, u32 flags)
{
	struct uapi_sched_attr a = {.size = MIN(size, (u32)sizeof(a))};
	struct user_thread *u;

	if (!uattr || tid < 0 || size > PAGE_SIZE || size < SCHED_ATTR_SIZE_VER0 || flags)
		return -EINVAL;
	u = sched_find_thread(tid);
	if (!u)
		return -ESRCH;
	a.policy = u->sched_policy;
	a.flags = u->sched_reset ? SCHED_FLAG_RESET_ON_FORK : 0;
	a.nice = u->thread->nice;
	a.runtime = SCHED_SLICE_NS;
	user_thread_put(u);
	return copy_to_user(uattr, &a, a.size);
}

static long priority_bound(int policy, long real_time)
{
	switch (policy) {
	case SCHED_FIFO:
	case SCHED_RR:
		return real_time;
	case SCHED_OTHER:
	case SCHED_BATCH:
	case SCHED_IDLE:
	case SCHED_DEADLINE:
		return 0;
	default:
		return -EINVAL;
	}
}

long sys_sched_get_priority_max(int policy)
{
	return priority_bound(policy, 99);
}

long sys_sched_get_priority_min(int policy)
{
	return priority_bound(policy, 1);
}

long sys_sched_rr_get_interval(int tid, vaddr_t out)
{
	struct uapi_timespec slice = {.tv_nsec = SCHED_SLICE_NS};
	struct user_thread *u;

	if (tid < 0)
		return -EINVAL;
	u = sched_find_thread(tid);
	if (!u)
		return -ESRCH;
	user_thread_put(u);
	return copy_to_user(out, &slice, sizeof(slice));
}
