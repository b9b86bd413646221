/* SPDX-License-Identifier: MIT */
/* sys_resource.c - limits, and what has been used. */
#include <uapi/errno.h>
#include <uapi/resource.h>
#include "kernel/cred.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/uaccess.h"
#include "kernel/user_timers.h"
#include "mm/vma/space.h"

/* --- limits ------------------------------------------------------------------------------------------ */

static int check_limit(struct process *p, unsigned resource, const struct uapi_rlimit *r)
{
	if (r->cur > r->max)
		return -EINVAL;
	if (resource == RLIMIT_NOFILE && r->max > 1048576)
		return -EPERM;
	/* Only the superuser may raise a hard limit. */
	if (r->max > p->rlimits[resource].max && !cred_capable(CAP_SYS_RESOURCE))
		return -EPERM;
	return 0;
}

/* swap_limit - read the old limit, set the new one; either may be NULL. */
static int swap_limit(struct process *p, unsigned resource, const struct uapi_rlimit *new_limit,
		      struct uapi_rlimit *old)
{
	int err = 0;

	spin_lock(&p->lock);
	if (old)
		*old = p->rlimits[resource];
	if (new_limit)
		err = check_limit(p, resource, new_limit);
	if (new_limit && !err)
		p->rlimits[resource] = *new_limit;
	spin_unlock(&p->lock);
	if (new_limit && !err)
		process_apply_limits(p);
	if (new_limit && !err && resource == RLIMIT_CPU)
		cpu_timers_start(p);
	return err;
}

static long prlimit(struct process *p, unsigned resource, vaddr_t in, vaddr_t out)
{
	struct uapi_rlimit new_limit, old;
	int err;

	if (in && copy_from_user(&new_limit, in, sizeof(new_limit)))
		return -EFAULT;
	err = swap_limit(p, resource, in ? &new_limit : NULL, &old);
	if (!err && out && copy_to_user(out, &old, sizeof(old)))
		err = -EFAULT;
	return err;
}

/* may_change_limits - of oneself, of processes that are the user's own in every respect, with CAP_SYS_RESOURCE of all. */
static bool may_change_limits(struct process *p)
{
	const struct cred *self = cred_now(), *c;
	bool same;

	if (p == current_process || cred_has(self, CAP_SYS_RESOURCE))
		return true;
	c = process_cred(p);
	same = self->uid == c->uid && self->uid == c->euid && self->uid == c->suid &&
	       self->gid == c->gid && self->gid == c->egid && self->gid == c->sgid;
	cred_put(c);
	return same;
}

long sys_prlimit64(int pid, unsigned resource, vaddr_t in, vaddr_t out)
{
	struct process *p;
	long err;

	if (resource >= RLIM_NLIMITS)
		return -EINVAL;
	if (!pid)
		return prlimit(current_process, resource, in, out);
	p = pid > 0 ? process_find((u32)pid) : NULL;
	if (!p)
		return -ESRCH;
	err = may_change_limits(p) ? prlimit(p, resource, in, out) : -EPERM;
	process_put(p);
	return err;
}

long sys_getrlimit(unsigned resource, vaddr_t out)
{
	struct uapi_rlimit old;

	if (resource >= RLIM_NLIMITS)
		return -EINVAL;
	swap_limit(current_process, resource, NULL, &old);
	return copy_to_user(out, &old, sizeof(old));
}

long sys_setrlimit(unsigned resource, vaddr_t in)
{
	struct uapi_rlimit new_limit;

	if (resource >= RLIM_NLIMITS)
		return -EINVAL;
	if (copy_from_user(&new_limit, in, sizeof(new_limit)))
		return -EFAULT;
	return swap_limit(current_process, resource, &new_limit, NULL);
}

/* --- usage ------------------------------------------------------------------------------------------- */

static struct uapi_timeval to_timeval(u64 ns)
{
	return (struct uapi_timeval){(s64)(ns / NSEC_PER_SEC),
				     (s64)(ns % NSEC_PER_SEC / NSEC_PER_USEC)};
}

void usage_to_rusage(const struct usage *u, struct uapi_rusage *r)
{
	*r = (struct uapi_rusage){
		.ru_utime = to_timeval(u->cpu_ns - u->system_ns),
		.ru_stime = to_timeval(u->system_ns),
		.ru_maxrss = (s64)(u->maxrss * (PAGE_SIZE / 1024)),
		.ru_nvcsw = (s64)u->nvcsw,
		.ru_nivcsw = (s64)u->nivcsw,
	};
}

/* keep_forward - what was taken for user time until the next sample may turn out to be the kernel's; what was shown
 * before stays. Lock held. */
static void keep_forward(struct process *p, struct usage *sum)
{
	sum->system_ns = MAX(sum->system_ns, p->shown_system_ns);
	if (sum->cpu_ns - sum->system_ns < p->shown_user_ns)
		sum->system_ns = sum->cpu_ns - p->shown_user_ns;
	p->shown_system_ns = sum->system_ns;
	p->shown_user_ns = sum->cpu_ns - sum->system_ns;
}

static void self_usage(struct usage *sum)
{
	struct process *p = current_process;
	struct user_thread *u;

	spin_lock(&p->lock);
	*sum = p->dead;
	list_for_each (u, &p->threads, link)
		usage_add_thread(sum, u->thread);
	keep_forward(p, sum);
	spin_unlock(&p->lock);
	sum->maxrss = MAX(sum->maxrss, space_peak_rss(current->space));
}

static void children_usage(struct usage *sum)
{
	mutex_lock(&process_tree_lock);
	*sum = current_process->children_usage;
	mutex_unlock(&process_tree_lock);
}

long sys_getrusage(int who, vaddr_t out)
{
	struct usage sum = {0};
	struct uapi_rusage r;

	switch (who) {
	case RUSAGE_SELF:
		self_usage(&sum);
		break;
	case RUSAGE_CHILDREN:
		children_usage(&sum);
		break;
	case RUSAGE_THREAD:
		usage_add_thread(&sum, current);
		sum.maxrss = space_peak_rss(current->space);
		break;
	default:
		return -EINVAL;
	}
	usage_to_rusage(&sum, &r);
	return copy_to_user(out, &r, sizeof(r));
}

long sys_times(vaddr_t out)
{
	const u64 tick = NSEC_PER_SEC / USER_HZ;
	struct usage self, children;
	struct uapi_tms t = {0};

	self_usage(&self);
	children_usage(&children);
	t.tms_utime = (s64)((self.cpu_ns - self.system_ns) / tick);
	t.tms_stime = (s64)(self.system_ns / tick);
	t.tms_cutime = (s64)((children.cpu_ns - children.system_ns) / tick);
	t.tms_cstime = (s64)(children.system_ns / tick);
	if (out && copy_to_user(out, &t, sizeof(t)))
		return -EFAULT;
	return (long)(time_now() / tick);
}
