/* SPDX-License-Identifier: MIT */
/*
 * exit.c - the end of threads and processes.
 *
 * A thread ends itself, always here, in this order: what others may wait for in its memory (robust
 * mutexes, the tid word, a vfork parent) while the memory is still there; the memory; its place in the
 * process. The last one also closes files, hands its children to init, and leaves a zombie behind
 * for the parent (wait.c).
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include <uapi/wait.h>
#include "drivers/tty.h"
#include "fs/file.h"
#include "kernel/cred.h"
#include "kernel/futex.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/trace.h"
#include "kernel/uaccess.h"
#include "kernel/user_timers.h"
#include "lib/atomic.h"
#include "lib/refcount.h"
#include "lib/string.h"
#include "mm/vma/space.h"

void user_thread_leave_space(struct user_thread *u)
{
	futex_exit_robust(u);
	if (u->clear_child_tid) {
		vaddr_t addr = u->clear_child_tid;

		u->clear_child_tid = 0;
		/* The last user of the memory has nobody to tell. */
		if (atomic_load(&current->space->users) > 1 && !put_user_u32(addr, 0))
			futex_wake(addr, false, 1);
	}
	user_thread_release_vfork(u);
}

void process_release_resources(struct process *p)
{
	struct files *files = p->files;
	struct fs_context *fs = p->fs;
	struct file *exe = p->exe;

	spin_lock(&p->lock);
	p->files = NULL;
	p->fs = NULL;
	p->exe = NULL;
	spin_unlock(&p->lock);
	if (files)
		files_put(files);
	if (fs)
		fs_context_put(fs);
	if (exe)
		file_put(exe);
}

void process_note_maxrss(struct process *p)
{
	u64 rss = space_peak_rss(current->space);

	spin_lock(&p->lock);
	p->dead.maxrss = MAX(p->dead.maxrss, rss);
	spin_unlock(&p->lock);
}

static void leave_memory(struct user_thread *u)
{
	struct space *space = current->space;

	user_thread_leave_space(u);
	process_note_maxrss(u->proc);
	process_use_space(NULL);
	space_put(space);
}

void usage_add(struct usage *sum, const struct usage *u)
{
	sum->cpu_ns += u->cpu_ns;
	sum->system_ns += u->system_ns;
	sum->maxrss = MAX(sum->maxrss, u->maxrss);
	sum->nvcsw += u->nvcsw;
	sum->nivcsw += u->nivcsw;
}

void usage_add_thread(struct usage *sum, struct thread *t)
{
	sum->system_ns += thread_system_time(t); /* first: it is the smaller */
	sum->cpu_ns += thread_cpu_time(t);
	sum->nvcsw += t->nvcsw;
	sum->nivcsw += t->nivcsw;
}

/* leave_process - off the list of threads; true for the last one. */
static bool leave_process(struct process *p, struct user_thread *u, u32 status)
{
	bool last, stop_complete;
	u32 stop_signal;

	spin_lock(&p->lock);
	if (!p->group_exit && u->tid == p->pid)
		p->exit_status = status;
	if (u->tid == p->pid)
		memcpy(p->dead_name, current->name, sizeof(p->dead_name));
	list_del(&u->link);
	signal_leave_process(u);
	p->nr_threads--;
	usage_add_thread(&p->dead, current);
	last = !p->nr_threads;
	if (p->exec_thread && p->nr_threads == 1)
		waitq_wake_all(&p->thread_wait);
	stop_complete = signal_stop_is_complete(p);
	stop_signal = p->signals.stop_signal;
	spin_unlock(&p->lock);
	if (stop_complete) {
		mutex_lock(&process_tree_lock);
		process_notify_parent(p, CLD_STOPPED, (int)stop_signal);
		mutex_unlock(&process_tree_lock);
	}
	return last;
}

/* --- the last thread --------------------------------------------------------------------------------- */

static void child_info(struct process *p, int code, int status, struct uapi_siginfo *info)
{
	const struct cred *c = process_cred(p); /* one that was continued may be changing them */

	*info = (struct uapi_siginfo){
		.si_signo = SIGCHLD,
		.si_code = code,
		.si_pid = (s32)user_pid(p),
		.si_uid = c->uid,
	};
	info->si_status = status;
	cred_put(c);
}

void process_notify_parent(struct process *p, int code, int status)
{
	struct process *parent = p->parent;
	struct uapi_siginfo info;
	u64 flags;

	assert_held(&process_tree_lock);
	if (!parent)
		return;
	flags = signal_action_flags(parent, SIGCHLD);
	child_info(p, code, status, &info);
	if (!(flags & SA_NOCLDSTOP))
		signal_send_process(parent, &info);
	atomic_inc(&parent->child_events);
	waitq_wake_all(&parent->child_wait);
}

/* A parent may have said that it does not care how its children end: then they leave no zombie, and with
 * SIG_IGN no signal either, not even a blocked one. */
void process_announce_end(struct process *p)
{
	const struct signal_state *s = &p->parent->signals;
	u32 status = p->exit_status, sig = status & 0x7f;
	bool ignored = p->exit_signal == SIGCHLD && (READ_ONCE(s->ignored) & SIGSET_BIT(SIGCHLD));
	bool unwanted = p->exit_signal == SIGCHLD &&
			(signal_action_flags(p->parent, SIGCHLD) & SA_NOCLDWAIT);
	struct process *parent = p->parent;
	struct uapi_siginfo info;

	if (p->exit_signal && p->exit_signal <= NSIG && !ignored) {
		child_info(p, sig ? CLD_KILLED : CLD_EXITED, (int)(sig ? sig : status >> 8), &info);
		info.si_signo = (s32)p->exit_signal;
		signal_send_process(parent, &info);
	}
	if (ignored || unwanted)
		process_reap(p);
	/* A parent without children left must learn that as well. */
	atomic_inc(&parent->child_events);
	waitq_wake_all(&parent->child_wait);
}

void process_set_group(struct process *p, struct pid *group)
{
	assert_held(&process_tree_lock);
	if (group)
		pid_get(group);
	list_del(&p->group_link);
	if (group)
		list_add_tail(&p->group_link, &group->group);
	if (p->group)
		pid_put(p->group);
	p->group = group;
}

void process_reap(struct process *p)
{
	struct usage *sum = &p->parent->children_usage;

	assert_held(&process_tree_lock);
	assert(p->zombie);
	list_del(&p->sibling);
	usage_add(sum, &p->dead);
	usage_add(sum, &p->children_usage);
	process_set_group(p, NULL);
	pid_put(p->session);
	p->session = NULL;
	pid_set_process(p->pid, NULL);
	atomic_dec(&p->cred->account->threads);
	process_put(p);
}

static void finish_process(struct process *p)
{
	if (p == process_init)
		panic("init has ended with status %#x", p->exit_status);
	trace(TRACE_EXIT, user_pid(p), p->exit_status, 0, 0);
	process_timers_release(p);
	process_release_resources(p);
	tty_leader_exits(p);
	atomic_inc(&p->cred->account->threads); /* the zombie's; the thread's own goes with it */
	mutex_lock(&process_tree_lock);
	group_check_orphaned(p, p->parent, p);
	process_orphan_children(p);
	p->zombie = true;
	waitq_wake_all(&p->pid->ended);
	process_announce_end(p);
	mutex_unlock(&process_tree_lock);
}

static void leave_children(struct process *p, struct user_thread *u)
{
	mutex_lock(&process_tree_lock);
	process_thread_left(p, user_tid(u));
	mutex_unlock(&process_tree_lock);
}

void process_exit_thread(u32 status)
{
	struct user_thread *u = current_user;
	struct process *p = current_process;
	bool last;

	leave_memory(u);
	/* Before the list: a thread in exec that waits for us may take over our number. */
	pid_set_thread(u->tid, NULL);
	last = leave_process(p, u, status);
	if (last)
		finish_process(p);
	else if (u->made_children)
		leave_children(p, u);
	current->user = NULL;
	current->proc = NULL;
	user_thread_put(u);
	thread_exit();
}

void process_exit_group(u32 status)
{
	struct process *p = current_process;

	spin_lock(&p->lock);
	process_begin_group_exit(p, status);
	spin_unlock(&p->lock);
	process_exit_thread(status);
}

/* --- exec: all but one ------------------------------------------------------------------------------- */

/* take_identity - the surviving thread becomes the one whose tid is the pid. */
static void take_identity(struct process *p, struct user_thread *u)
{
	struct pid *old = u->tid;

	if (old == p->pid)
		return;
	pid_get(p->pid);
	pid_set_thread(old, NULL);
	spin_lock(&p->lock);
	u->tid = p->pid;
	spin_unlock(&p->lock);
	pid_set_thread(p->pid, u);
	mutex_lock(&process_tree_lock);
	process_thread_renamed(p, old->nr, p->pid->nr);
	mutex_unlock(&process_tree_lock);
	pid_put(old);
}

int process_kill_other_threads(void)
{
	struct user_thread *u = current_user, *other;
	struct process *p = current_process;
	int err = 0;

	spin_lock(&p->lock);
	if (p->group_exit || p->exec_thread || atomic_load(&u->killed)) {
		spin_unlock(&p->lock);
		return -EAGAIN;
	}
	p->exec_thread = u;
	list_for_each (other, &p->threads, link)
		if (other != u)
			signal_kill_thread(other);
	spin_unlock(&p->lock);

	err = wait_event(&p->thread_wait, READ_ONCE(p->nr_threads) == 1, WAIT_KILLABLE);
	spin_lock(&p->lock);
	p->exec_thread = NULL;
	spin_unlock(&p->lock);
	if (err)
		return -EAGAIN;
	take_identity(p, u);
	return 0;
}

long sys_exit(int code)
{
	process_exit_thread(WSTATUS_EXITED((u32)code));
}

long sys_exit_group(int code)
{
	process_exit_group(WSTATUS_EXITED((u32)code));
}
