/* SPDX-License-Identifier: MIT */
/*
 * process.c - processes and user threads as objects: creation, references, limits.
 *
 * A process is referenced by the tree of kinship (until its parent has waited for it), by each of its
 * user threads, and by whoever looked it up. A user thread is referenced by itself until it exits.
 */
#include "kernel/process.h"

#include <quire/assert.h>
#include <uapi/errno.h>
#include <uapi/wait.h>
#include "fs/file.h"
#include "kernel/cred.h"
#include "kernel/load.h"
#include "kernel/time.h"
#include "kernel/uaccess.h"
#include "lib/atomic.h"
#include "lib/refcount.h"
#include "lib/string.h"
#include "mm/phys/page_alloc.h"
#include "mm/phys/slab.h"
#include "mm/vma/space.h"

struct mutex process_tree_lock;
struct process *process_init;
static u32 nr_processes, nr_threads; /* [a] */
static struct slab_cache *process_cache, *user_thread_cache;

void process_subsystem_init(void)
{
	mutex_init(&process_tree_lock, RANK_PROCESS_TREE);
	process_cache = slab_cache_create("process", sizeof(struct process), 0, false);
	user_thread_cache = slab_cache_create("user_thread", sizeof(struct user_thread), 0, false);
	pid_init();
	cred_init();
	uaccess_init();
}

/* Limits of init; the values are those of a Linux system without further configuration. */
static void limits_init(struct uapi_rlimit *limits)
{
	u64 max_threads = user_thread_max() / 2;

	for (unsigned i = 0; i < RLIM_NLIMITS; i++)
		limits[i] = (struct uapi_rlimit){RLIM_INFINITY, RLIM_INFINITY};
	limits[RLIMIT_STACK].cur = MIB(8);
	limits[RLIMIT_CORE].cur = 0;
	limits[RLIMIT_NOFILE] = (struct uapi_rlimit){1024, 4096};
	limits[RLIMIT_MEMLOCK] = (struct uapi_rlimit){MIB(8), MIB(8)};
	limits[RLIMIT_MSGQUEUE] = (struct uapi_rlimit){819200, 819200};
	limits[RLIMIT_NPROC] = (struct uapi_rlimit){max_threads, max_threads};
	limits[RLIMIT_SIGPENDING] = limits[RLIMIT_NPROC];
	limits[RLIMIT_NICE] = limits[RLIMIT_RTPRIO] = (struct uapi_rlimit){0, 0};
}

static void inherit(struct process *p, struct process *parent)
{
	spin_lock(&parent->lock);
	memcpy(p->rlimits, parent->rlimits, sizeof(p->rlimits));
	signal_init_process(p, parent);
	spin_unlock(&parent->lock);
}

struct process *process_create(struct process *parent, struct pid *pid)
{
	struct process *p = slab_alloc(process_cache, 0);

	if (!p)
		return NULL;
	/* Most of it is behind: actions of signals, which mean nothing until they are set, and the limits. */
	memset(p, 0, offsetof(struct process, signals.actions));
	refcount_init(&p->refs);
	pid_get(pid);
	p->pid = pid;
	spin_init(&p->lock, RANK_PROCESS);
	list_init(&p->children);
	list_init(&p->sibling);
	list_init(&p->group_link);
	list_init(&p->threads);
	waitq_init(&p->child_wait);
	waitq_init(&p->thread_wait);
	p->start_ns = time_now();
	load_update(p->start_ns);
	p->cred = cred_get(cred_now());
	p->dumpable = parent ? parent->dumpable : 1;
	p->oom_score_adj = parent ? parent->oom_score_adj : 0;
	p->oom_score_adj_min = parent ? parent->oom_score_adj_min : 0;
	p->personality = parent ? parent->personality : 0;
	if (parent) {
		inherit(p, parent);
	} else {
		signal_init_process(p, NULL);
		limits_init(p->rlimits);
	}
	atomic_inc(&nr_processes);
	return p;
}

void process_get(struct process *p)
{
	refcount_get(&p->refs);
}

void process_put(struct process *p)
{
	if (!refcount_put(&p->refs))
		return;
	assert(!p->nr_threads && !p->files && !p->fs && !p->exe);
	assert(!p->group && !p->session);
	signal_release_process(p);
	pid_put(p->pid);
	cred_put(p->cred);
	atomic_dec(&nr_processes);
	slab_free(process_cache, p);
}

struct user_thread *user_thread_create(struct process *p, struct thread *t, struct pid *tid)
{
	struct user_thread *u = slab_alloc(user_thread_cache, PA_ZERO);

	if (!u)
		return NULL;
	refcount_init(&u->refs);
	process_get(p);
	u->proc = p;
	u->thread = t;
	u->tid = tid;
	u->cred = cred_get(cred_now());
	atomic_inc(&u->cred->account->threads);
	atomic_inc(&nr_threads);
	list_init(&u->link);
	return u;
}

void user_thread_get(struct user_thread *u)
{
	refcount_get(&u->refs);
}

void user_thread_put(struct user_thread *u)
{
	if (!refcount_put(&u->refs))
		return;
	assert(!u->sig.pending.set);
	pid_put(u->tid);
	thread_put(u->thread);
	process_put(u->proc);
	atomic_dec(&u->cred->account->threads);
	cred_put(u->cred);
	atomic_dec(&nr_threads);
	slab_free(user_thread_cache, u);
}

struct space *process_space(struct process *p)
{
	struct space *space = NULL;
	struct user_thread *u;

	spin_lock(&p->lock);
	list_for_each (u, &p->threads, link) {
		space = u->thread->space;
		if (space) {
			space_get(space);
			break;
		}
	}
	spin_unlock(&p->lock);
	return space;
}

void process_use_space(struct space *space)
{
	struct process *p = current_process;

	spin_lock(&p->lock);
	current->space = space;
	spin_unlock(&p->lock);
	sched_use_aspace(space ? &space->as : NULL);
}

struct files *process_files(struct process *p)
{
	struct files *files;

	spin_lock(&p->lock);
	files = p->files;
	if (files)
		files_get(files);
	spin_unlock(&p->lock);
	return files;
}

struct fs_context *process_fs(struct process *p)
{
	struct fs_context *fs;

	spin_lock(&p->lock);
	fs = p->fs;
	if (fs)
		fs_context_get(fs);
	spin_unlock(&p->lock);
	return fs;
}

struct file *process_exe(struct process *p)
{
	struct file *exe;

	spin_lock(&p->lock);
	exe = p->exe;
	if (exe)
		file_get(exe);
	spin_unlock(&p->lock);
	return exe;
}

u64 process_cpu_time_locked(struct process *p, u64 *user)
{
	u64 sum = p->dead.cpu_ns, system = p->dead.system_ns;
	struct user_thread *u;

	assert_held(&p->lock);
	list_for_each (u, &p->threads, link) {
		sum += thread_cpu_time(u->thread);
		if (user)
			system += thread_system_time(u->thread);
	}
	if (user)
		*user = sum - MIN(sum, system);
	return sum;
}

u64 process_limit(const struct process *p, unsigned resource)
{
	return READ_ONCE(p->rlimits[resource].cur);
}

void process_limits_for_space(struct process *p, struct space_limits *out)
{
	out->as = process_limit(p, RLIMIT_AS);
	out->data = process_limit(p, RLIMIT_DATA);
	out->stack = process_limit(p, RLIMIT_STACK);
	out->memlock = process_limit(p, RLIMIT_MEMLOCK);
}

void process_apply_limits(struct process *p)
{
	struct space *space = process_space(p);
	struct space_limits limits;

	if (!space)
		return;
	process_limits_for_space(p, &limits);
	space_set_limits(space, &limits);
	space_put(space);
}

unsigned user_thread_count(void)
{
	return atomic_load(&nr_threads);
}

/* An eighth of memory may become kernel stacks. */
unsigned user_thread_max(void)
{
	return (unsigned)MAX(page_count_total() * PAGE_SIZE / (8 * KSTACK_SIZE), 20ul);
}

/* Depth first, without recursion. */
struct process *process_tree_next(struct process *p)
{
	struct process *next = list_first(&p->children, struct process, sibling);

	assert_held(&process_tree_lock);
	while (!next && p != process_init) {
		struct process *parent = p->parent;

		if (p->sibling.next != &parent->children)
			next = list_entry(p->sibling.next, struct process, sibling);
		else
			p = parent;
	}
	return next;
}

unsigned process_count(void)
{
	return atomic_load(&nr_processes);
}
