/* SPDX-License-Identifier: MIT */
/*
 * jobctl.c - stopping and continuing processes, and process groups that nobody looks after any more (POSIX, "orphaned
 * process group").
 *
 * A group is orphaned when no member has a parent that is in another group of the same session: no shell
 * is left that could continue it. Terminal stop signals do not stop such a group, and when a group that has
 * stopped members becomes orphaned, it is hung up and continued.
 *
 * Locks: process_tree_lock is held throughout the functions on groups; the state of a stop is under the process lock.
 */
#include <quire/assert.h>
#include <uapi/wait.h>
#include "kernel/process.h"
#include "lib/atomic.h"

/* has_keeper - this member's parent could continue the group. */
static bool has_keeper(const struct process *p)
{
	const struct process *parent = p->parent;

	return parent && parent != process_init && parent->session == p->session &&
	       parent->group != p->group;
}

bool group_is_orphaned(const struct pid *group, const struct process *leaving)
{
	const struct process *p;

	assert_held(&process_tree_lock);
	list_for_each (p, &group->group, group_link)
		if (p != leaving && !p->zombie && has_keeper(p))
			return false;
	return true;
}

static bool has_stopped_member(const struct pid *group)
{
	const struct process *p;

	list_for_each (p, &group->group, group_link)
		if (READ_ONCE(p->signals.stop_signal))
			return true;
	return false;
}

static void hang_up(struct pid *group)
{
	struct uapi_siginfo hup = {.si_signo = SIGHUP, .si_code = SI_KERNEL};
	struct uapi_siginfo cont = {.si_signo = SIGCONT, .si_code = SI_KERNEL};

	signal_send_group(group, &hup);
	signal_send_group(group, &cont);
}

void group_check_orphaned(const struct process *p, const struct process *keeper,
			  const struct process *leaving)
{
	bool mattered = keeper && keeper->session == p->session && keeper->group != p->group;

	if (mattered && group_is_orphaned(p->group, leaving) && has_stopped_member(p->group))
		hang_up(p->group);
}

/* --- stopping one process ---------------------------------------------------------------------------- */

void signal_resume(struct process *p)
{
	struct signal_state *s = &p->signals;

	if (!s->stop_signal)
		return;
	s->stop_signal = 0;
	s->report_stop = false;
	s->report_continue = s->notify_continue = s->nr_stopped > 0;
	waitq_wake_all(&s->stop_wait);
}

/* notify_parent - tell it about a stop or continuation that has just become complete. */
static void notify_parent(struct process *p, int code, int status)
{
	mutex_lock(&process_tree_lock);
	process_notify_parent(p, code, status);
	mutex_unlock(&process_tree_lock);
}

bool signal_stop_is_complete(struct process *p)
{
	struct signal_state *s = &p->signals;

	assert_held(&p->lock);
	if (!s->stop_signal || s->stop_reported || !p->nr_threads || s->nr_stopped < p->nr_threads)
		return false;
	s->stop_reported = true;
	s->report_stop = true;
	s->report_continue = false;
	return true;
}

void signal_stop_here(struct process *p, struct user_thread *u)
{
	struct signal_state *s = &p->signals;
	bool complete, continued;
	u32 sig;

	spin_lock(&p->lock);
	sig = s->stop_signal;
	if (!sig || u->killed) {
		spin_unlock(&p->lock);
		return;
	}
	s->nr_stopped++;
	complete = signal_stop_is_complete(p);
	spin_unlock(&p->lock);
	if (complete)
		notify_parent(p, CLD_STOPPED, (int)sig);
	wait_event(&s->stop_wait, !READ_ONCE(s->stop_signal) || atomic_load(&u->killed),
		   WAIT_UNINTERRUPTIBLE);
	spin_lock(&p->lock);
	s->nr_stopped--;
	continued = s->notify_continue;
	s->notify_continue = false;
	spin_unlock(&p->lock);
	if (continued)
		notify_parent(p, CLD_CONTINUED, SIGCONT);
}

/* Terminal signals do not stop an orphaned group, which is asked without the process's lock: a SIGCONT in between wins. */
void signal_begin_stop(struct process *p, struct user_thread *self)
{
	u32 sig = self->sig.stop_taken;
	struct user_thread *u;

	if (sig != SIGSTOP) {
		bool orphaned;

		mutex_lock(&process_tree_lock);
		orphaned = group_is_orphaned(p->group, NULL);
		mutex_unlock(&process_tree_lock);
		if (orphaned)
			return;
	}
	spin_lock(&p->lock);
	if (self->sig.stop_taken && !p->group_exit && !p->signals.stop_signal) {
		p->signals.stop_signal = sig;
		p->signals.stop_reported = false;
		list_for_each (u, &p->threads, link)
			signal_notice_thread(u->thread, false);
	}
	spin_unlock(&p->lock);
}
