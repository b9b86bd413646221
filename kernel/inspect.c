/* SPDX-License-Identifier: MIT */
/*
 * inspect.c - questions about other processes (inspect.h). Each takes the lock that its answer needs, one at a
 * time, and gives references.
 */
#include "kernel/inspect.h"

#include <uapi/errno.h>
#include "fs/file.h"
#include "fs/vfs.h"
#include "kernel/cred.h"

/* allowed_as - by these identities and capabilities of ours. */
static bool allowed_as(struct process *p, u32 uid, u32 gid, u64 caps)
{
	const struct cred *c;
	bool same;

	if (p == current_process)
		return true;
	c = process_cred(p);
	same = uid == c->uid && uid == c->euid && uid == c->suid && gid == c->gid &&
	       gid == c->egid && gid == c->sgid;
	same = same && READ_ONCE(p->dumpable) == 1 && !(c->permitted & ~caps);
	cred_put(c);
	return same || cred_capable(CAP_SYS_PTRACE);
}

bool inspect_allowed(struct process *p)
{
	const struct cred *self = cred_now();

	return allowed_as(p, self->fsuid, self->fsgid, self->effective);
}

bool inspect_may_attach(struct process *p)
{
	const struct cred *self = cred_now();

	return allowed_as(p, self->uid, self->gid, self->permitted);
}

/* --- files ------------------------------------------------------------------------------------------- */

struct file *inspect_file(struct process *p, u32 fd, bool *cloexec)
{
	struct file *f = NULL;

	spin_lock(&p->lock);
	if (p->files)
		f = files_find(p->files, (int)fd);
	if (f && cloexec)
		*cloexec = files_cloexec(p->files, fd);
	spin_unlock(&p->lock);
	return f;
}

u32 inspect_next_fd(struct process *p, u32 from)
{
	u32 fd = UINT32_MAX;

	spin_lock(&p->lock);
	if (p->files)
		fd = files_next(p->files, from);
	spin_unlock(&p->lock);
	return fd;
}

u32 inspect_fd_table_size(struct process *p)
{
	u32 n = 0;

	spin_lock(&p->lock);
	if (p->files)
		n = files_size(p->files);
	spin_unlock(&p->lock);
	return n;
}

struct dentry *inspect_exe(struct process *p)
{
	struct dentry *d = NULL;

	spin_lock(&p->lock);
	if (p->exe && p->exe->dentry) {
		d = p->exe->dentry;
		dentry_get(d);
	}
	spin_unlock(&p->lock);
	return d;
}

/* context_of - the process's fs_context with a reference, since its lock may not be taken inside the process's. */
static struct fs_context *context_of(struct process *p)
{
	struct fs_context *fs;

	spin_lock(&p->lock);
	fs = p->fs;
	if (fs)
		fs_context_get(fs);
	spin_unlock(&p->lock);
	return fs;
}

struct dentry *inspect_root(struct process *p)
{
	struct fs_context *fs = context_of(p);
	struct dentry *d;

	if (!fs)
		return NULL;
	d = fs_context_root(fs);
	fs_context_put(fs);
	return d;
}

struct dentry *inspect_cwd(struct process *p)
{
	struct fs_context *fs = context_of(p);
	struct dentry *d;

	if (!fs)
		return NULL;
	d = fs_context_cwd(fs);
	fs_context_put(fs);
	return d;
}

int inspect_umask(struct process *p)
{
	int mask = -ESRCH;

	spin_lock(&p->lock);
	if (p->fs)
		mask = (int)READ_ONCE(p->fs->umask);
	spin_unlock(&p->lock);
	return mask;
}

/* --- threads ----------------------------------------------------------------------------------------- */

struct user_thread *inspect_next_thread(struct process *p, u32 from)
{
	struct user_thread *u, *best = NULL;

	spin_lock(&p->lock);
	list_for_each (u, &p->threads, link)
		if (user_tid(u) >= from && (!best || user_tid(u) < user_tid(best)))
			best = u;
	if (best)
		user_thread_get(best);
	spin_unlock(&p->lock);
	return best;
}

struct user_thread *inspect_first_thread(struct process *p)
{
	struct user_thread *u, *first = NULL;

	spin_lock(&p->lock);
	list_for_each (u, &p->threads, link)
		if (!first || u->tid == p->pid)
			first = u;
	if (first)
		user_thread_get(first);
	spin_unlock(&p->lock);
	return first;
}

char inspect_state(struct process *p, struct user_thread *u)
{
	struct thread *t = u ? u->thread : NULL;

	if (!t)
		return 'Z';
	if (READ_ONCE(p->signals.stop_signal) && READ_ONCE(p->signals.stop_reported))
		return 'T';
	switch (READ_ONCE(t->state)) {
	case THREAD_SLEEPING:
		if (READ_ONCE(t->wait_on) == &p->signals.stop_wait)
			return 'T';
		return READ_ONCE(t->sleep_mode) == WAIT_INTERRUPTIBLE ? 'S' : 'D';
	case THREAD_DEAD:
		return 'X';
	default:
		return 'R';
	}
}

void inspect_usage(struct process *p, struct usage *out)
{
	struct user_thread *u;

	spin_lock(&p->lock);
	*out = p->dead;
	list_for_each (u, &p->threads, link)
		usage_add_thread(out, u->thread);
	spin_unlock(&p->lock);
}

/* --- kinship ----------------------------------------------------------------------------------------- */

void inspect_kin(struct process *p, struct inspect_kin *out)
{
	mutex_lock(&process_tree_lock);
	/* Who was reaped has no session, and its parent may be gone. */
	*out = (struct inspect_kin){
		.parent = p->session && p->parent ? user_pid(p->parent) : 0,
		.group = p->group ? p->group->nr : 0,
		.session = p->session ? p->session->nr : 0,
		.zombie = p->zombie,
		.children = p->children_usage,
	};
	mutex_unlock(&process_tree_lock);
}

u32 inspect_next_child(struct process *p, u32 n)
{
	struct process *child;
	u32 nr = 0;

	mutex_lock(&process_tree_lock);
	list_for_each (child, &p->children, sibling)
		if (!n--) {
			nr = user_pid(child);
			break;
		}
	mutex_unlock(&process_tree_lock);
	return nr;
}
