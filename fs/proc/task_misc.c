/* SPDX-License-Identifier: MIT */
/* task_misc.c - the small files of a process: comm, limits, oom_score, cgroup, children. */
#include <uapi/errno.h>
#include <uapi/resource.h>
#include "fs/proc/internal.h"
#include "kernel/cred.h"
#include "lib/string.h"
#include "mm/phys/page_alloc.h"
#include "mm/vma/space.h"

/* --- comm ------------------------------------------------------------------------------------------------ */

static int comm_show(struct file *f, struct text *t)
{
	struct process *p = proc_process(f->inode);
	struct user_thread *u = p ? proc_thread(f->inode, p) : NULL;
	char name[16];

	if (!p)
		return -ESRCH;
	memcpy(name, u ? u->thread->name : p->dead_name, sizeof(name));
	text_put(t, name, strnlen(name, sizeof(name)));
	text_char(t, '\n');
	if (u)
		user_thread_put(u);
	process_put(p);
	return 0;
}

/* A thread may be named by its own process only. What does not fit is cut off. */
static ssize_t comm_store(struct file *f, char *s, size_t n)
{
	struct process *p = proc_process(f->inode);
	struct user_thread *u = p ? proc_thread(f->inode, p) : NULL;
	ssize_t result = (ssize_t)n;

	if (!p)
		return -ESRCH;
	if (p == current_process && u)
		strlcpy(u->thread->name, s, sizeof(u->thread->name));
	else
		result = -EINVAL;
	if (u)
		user_thread_put(u);
	process_put(p);
	return result;
}

const struct text_ops proc_comm_ops = {.show = comm_show, .store = comm_store};

/* --- limits ---------------------------------------------------------------------------------------------- */

static const struct {
	const char *name, *unit;
} limit_names[RLIM_NLIMITS] = {
	[RLIMIT_CPU] = {"Max cpu time", "seconds"},
	[RLIMIT_FSIZE] = {"Max file size", "bytes"},
	[RLIMIT_DATA] = {"Max data size", "bytes"},
	[RLIMIT_STACK] = {"Max stack size", "bytes"},
	[RLIMIT_CORE] = {"Max core file size", "bytes"},
	[RLIMIT_RSS] = {"Max resident set", "bytes"},
	[RLIMIT_NPROC] = {"Max processes", "processes"},
	[RLIMIT_NOFILE] = {"Max open files", "files"},
	[RLIMIT_MEMLOCK] = {"Max locked memory", "bytes"},
	[RLIMIT_AS] = {"Max address space", "bytes"},
	[RLIMIT_LOCKS] = {"Max file locks", "locks"},
	[RLIMIT_SIGPENDING] = {"Max pending signals", "signals"},
	[RLIMIT_MSGQUEUE] = {"Max msgqueue size", "bytes"},
	[RLIMIT_NICE] = {"Max nice priority", NULL},
	[RLIMIT_RTPRIO] = {"Max realtime priority", NULL},
	[RLIMIT_RTTIME] = {"Max realtime timeout", "us"},
};

static void show_limit(struct text *t, u64 value)
{
	if (value == RLIM_INFINITY)
		text_printf(t, "%-20s ", "unlimited");
	else
		text_printf(t, "%-20lu ", value);
}

static int limits_show(struct file *f, struct text *t)
{
	struct uapi_rlimit limits[RLIM_NLIMITS];
	struct process *p = proc_process(f->inode);

	if (!p)
		return -ESRCH;
	spin_lock(&p->lock);
	memcpy(limits, p->rlimits, sizeof(limits));
	spin_unlock(&p->lock);
	process_put(p);
	text_printf(t, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (unsigned i = 0; i < RLIM_NLIMITS; i++) {
		text_printf(t, "%-25s ", limit_names[i].name);
		show_limit(t, limits[i].cur);
		show_limit(t, limits[i].max);
		if (limit_names[i].unit)
			text_printf(t, "%-10s", limit_names[i].unit);
		text_char(t, '\n');
	}
	return 0;
}

const struct text_ops proc_limits_ops = {.show = limits_show};

/* --- memory shortage -------------------------------------------------------------------------------------- */

#define OOM_ADJ_MAX 1000

/* oom_score - from the share of the machine's memory and the adjustment, both in thousandths. As on Linux it runs
 * from 0 to 1333, and is 0 for who is never killed. */
static s64 oom_score(struct process *p, struct space *s)
{
	s64 adj = READ_ONCE(p->oom_score_adj);
	u64 pages = space_rss(s) + (u64)MAX(READ_ONCE(s->rss[RSS_SWAP]), 0) +
		    READ_ONCE(s->as.nr_tables);

	if (adj == -OOM_ADJ_MAX || p == process_init)
		return 0;
	return (1000 + (s64)(pages * 1000 / page_count_total()) + adj) * 2 / 3;
}

static int oom_score_show(struct file *f, struct text *t)
{
	struct process *p = proc_process(f->inode);
	struct space *s = p ? process_space(p) : NULL;
	s64 score = 0;

	if (!p)
		return -ESRCH;
	if (s)
		score = oom_score(p, s);
	if (s)
		space_put(s);
	process_put(p);
	text_printf(t, "%ld\n", MAX(score, 0));
	return 0;
}

static int oom_score_adj_show(struct file *f, struct text *t)
{
	struct process *p = proc_process(f->inode);

	if (!p)
		return -ESRCH;
	text_printf(t, "%d\n", READ_ONCE(p->oom_score_adj));
	process_put(p);
	return 0;
}

/* Going below the lowest value that a privileged process has set takes CAP_SYS_RESOURCE. */
static ssize_t oom_score_adj_store(struct file *f, char *s, size_t n)
{
	struct process *p;
	s64 value;
	int err = text_number(s, -OOM_ADJ_MAX, OOM_ADJ_MAX, &value);

	if (err)
		return err;
	p = proc_process(f->inode);
	if (!p)
		return -ESRCH;
	if (value < READ_ONCE(p->oom_score_adj_min) && !cred_capable(CAP_SYS_RESOURCE))
		err = -EACCES;
	if (!err) {
		WRITE_ONCE(p->oom_score_adj, (s32)value);
		if (cred_capable(CAP_SYS_RESOURCE))
			WRITE_ONCE(p->oom_score_adj_min, (s32)value);
	}
	process_put(p);
	return err ? err : (ssize_t)n;
}

const struct text_ops proc_oom_score_ops = {.show = oom_score_show};
const struct text_ops proc_oom_score_adj_ops = {.show = oom_score_adj_show,
						.store = oom_score_adj_store};

/* --- personality --------------------------------------------------------------------------------------------- */

static int personality_show(struct file *f, struct text *t)
{
	struct process *p;
	int err = proc_inspected(f->inode, &p);

	if (err)
		return err == -EACCES ? -EPERM : err;
	text_printf(t, "%08x\n", READ_ONCE(p->personality));
	process_put(p);
	return 0;
}

const struct text_ops proc_personality_ops = {.show = personality_show};

/* --- cgroup, children -------------------------------------------------------------------------------------- */

static int cgroup_show(struct file *f, struct text *t)
{
	struct process *p = proc_process(f->inode);

	if (!p)
		return -ESRCH;
	process_put(p);
	text_puts(t, "0::/\n");
	return 0;
}

const struct text_ops proc_cgroup_ops = {.show = cgroup_show};

/* Children belong to the process here: its first thread shows them all. The cursor counts them. */
static int children_show(struct file *f, struct text *t)
{
	struct process *p = proc_process(f->inode);
	u32 nr = 0;

	if (!p)
		return -ESRCH;
	while (proc_inode(f->inode)->pid == p->pid && !text_is_full(t) &&
	       (nr = inspect_next_child(p, (u32)t->cursor))) {
		text_printf(t, "%u ", nr);
		t->cursor++;
	}
	t->more = nr;
	process_put(p);
	return 0;
}

const struct text_ops proc_children_ops = {.show = children_show};
