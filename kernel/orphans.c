/* SPDX-License-Identifier: MIT */
/*
 * orphans.c - children whose parent goes away: who is their parent then, and who is told.
 *
 * A child belongs to the thread that made it (process.parent_tid) as far as two rules go: __WNOTHREAD, and the
 * signal of PR_SET_PDEATHSIG, which is sent when that thread ends. Otherwise threads of one
 * process are one parent. When the last of them ends, the nearest ancestor that asked for it (PR_SET_CHILD_SUBREAPER)
 * becomes the parent, or init.
 *
 * Locks: process_tree_lock is held throughout.
 */
#include <quire/assert.h>
#include "kernel/process.h"
#include "lib/atomic.h"

/* warn - the parent thread of a process is gone: those of its threads that want to know are told, and the
 * signal is for the whole process. */
static void warn(struct process *child)
{
	u32 sig = 0;
	struct user_thread *u;

	spin_lock(&child->lock);
	list_for_each (u, &child->threads, link)
		if (u->parent_death_signal)
			sig = u->parent_death_signal;
	spin_unlock(&child->lock);
	if (sig)
		signal_send_process(child, &(struct uapi_siginfo){.si_signo = (s32)sig});
}

void process_thread_left(struct process *p, u32 tid)
{
	struct user_thread *heir;
	struct process *child;
	u32 heir_tid;

	assert_held(&process_tree_lock);
	spin_lock(&p->lock);
	heir = list_first(&p->threads, struct user_thread, link);
	heir_tid = heir ? user_tid(heir) : 0;
	spin_unlock(&p->lock);
	list_for_each (child, &p->children, sibling) {
		if (child->parent_tid != tid)
			continue;
		child->parent_tid = heir_tid;
		warn(child);
	}
}

void process_thread_renamed(struct process *p, u32 old_tid, u32 new_tid)
{
	struct process *child;

	assert_held(&process_tree_lock);
	list_for_each (child, &p->children, sibling)
		if (child->parent_tid == old_tid)
			child->parent_tid = new_tid;
}

/* find_reaper - who looks after the children of p from now on. */
static struct process *find_reaper(const struct process *p)
{
	struct process *a;

	for (a = p->parent; a && a != process_init; a = a->parent)
		if (READ_ONCE(a->is_subreaper) && !a->zombie)
			return a;
	return process_init;
}

void process_orphan_children(struct process *p)
{
	struct process *reaper = find_reaper(p), *child, *next;

	assert_held(&process_tree_lock);
	list_for_each_safe (child, next, &p->children, sibling) {
		child->parent = reaper;
		WRITE_ONCE(child->parent_nr, user_pid(reaper));
		child->parent_tid = user_pid(reaper);
		group_check_orphaned(child, p, NULL);
		child->exit_signal = SIGCHLD;
		list_move_tail(&child->sibling, &reaper->children);
		warn(child);
		if (child->zombie)
			process_announce_end(child);
	}
}
