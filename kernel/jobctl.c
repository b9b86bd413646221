/* SPDX-License-Identifier: MIT */
/*
 * jobctl.c - process groups that nobody looks after any more (POSIX, "orphaned process group").
 *
 * A group is orphaned when no member has a parent that is in another group of the same session: no shell
 * is left that could continue it. Terminal stop signals do not stop such a group, and when a group that has
 * stopped members becomes orphaned, it is hung up and continued.
 *
 * Locks: process_tree_lock is held throughout.
 */
#include <quire/assert.h>
#include "kernel/process.h"

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
