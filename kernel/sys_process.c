/* SPDX-License-Identifier: MIT */
/* sys_process.c - who am I: numbers, groups, sessions. */
#include <uapi/errno.h>
#include <uapi/misc.h>
#include "kernel/process.h"
#include "kernel/syscall.h"

long sys_getpid(void)
{
	return user_pid(current_process);
}

long sys_gettid(void)
{
	return user_tid(current_user);
}

long sys_getppid(void)
{
	return READ_ONCE(current_process->parent_nr);
}

/* Of all that other systems did differently only one thing can be chosen: no random addresses. */
long sys_personality(u32 persona)
{
	struct process *p = current_process;
	u32 before = p->personality;

	if (persona == PERSONALITY_QUERY)
		return before;
	if (persona & ~ADDR_NO_RANDOMIZE)
		return -EINVAL;
	p->personality = persona;
	return before;
}

long sys_set_tid_address(vaddr_t addr)
{
	current_user->clear_child_tid = addr;
	return user_tid(current_user);
}

/* --- groups and sessions ----------------------------------------------------------------------------- */

/* find_process - by pid, 0 for the caller; with a reference. */
static struct process *find_process(int pid)
{
	if (pid)
		return pid > 0 ? process_find((u32)pid) : NULL;
	process_get(current_process);
	return current_process;
}

static long number_of(int pid, bool session)
{
	struct process *p = find_process(pid);
	struct pid *nr;
	long result;

	if (!p)
		return -ESRCH;
	mutex_lock(&process_tree_lock);
	nr = session ? p->session : p->group;
	result = nr ? (long)nr->nr : -ESRCH;
	mutex_unlock(&process_tree_lock);
	process_put(p);
	return result;
}

long sys_getpgid(int pid)
{
	return number_of(pid, false);
}

long sys_getsid(int pid)
{
	return number_of(pid, true);
}

/* check_setpgid - the caller itself, or a child of it that has not called exec, in the same session. */
static int check_setpgid(const struct process *p)
{
	const struct process *self = current_process;

	if (p != self && p->parent != self)
		return -ESRCH;
	if (p->zombie || !p->session)
		return -ESRCH;
	if (p->session != self->session)
		return -EPERM;
	if (p != self && p->execed)
		return -EACCES;
	return p->session == p->pid ? -EPERM : 0; /* a session leader stays where it is */
}

/* find_group - an existing group of the caller's session, or a new one named after p itself. */
static int find_group(struct process *p, u32 nr, struct pid **out)
{
	struct process *member;
	struct pid *group;

	if (nr == user_pid(p)) {
		pid_get(p->pid);
		*out = p->pid;
		return 0;
	}
	group = pid_find(nr);
	if (!group)
		return -EPERM;
	member = list_first(&group->group, struct process, group_link);
	if (!member || member->session != p->session) {
		pid_put(group);
		return -EPERM;
	}
	*out = group;
	return 0;
}

long sys_setpgid(int pid, int pgid)
{
	struct process *p;
	struct pid *group;
	int err;

	if (pgid < 0 || (!pgid && pid < 0))
		return -EINVAL;
	p = find_process(pid);
	if (!p)
		return -ESRCH;
	if (pid && (u32)pid != user_pid(p)) { /* a thread of it */
		process_put(p);
		return -EINVAL;
	}
	mutex_lock(&process_tree_lock);
	err = check_setpgid(p);
	if (!err)
		err = find_group(p, pgid ? (u32)pgid : user_pid(p), &group);
	if (!err) {
		process_set_group(p, group);
		pid_put(group);
	}
	mutex_unlock(&process_tree_lock);
	process_put(p);
	return err;
}

long sys_setsid(void)
{
	struct process *p = current_process;
	long result = -EPERM;

	mutex_lock(&process_tree_lock);
	if (list_empty(
		    &p->pid->group)) { /* a group of our number may exist, even without us in it */
		pid_get(p->pid);
		pid_put(p->session);
		p->session = p->pid;
		p->no_tty = false; /* the new session has none that it could give up */
		process_set_group(p, p->pid);
		result = user_pid(p);
	}
	mutex_unlock(&process_tree_lock);
	return result;
}
