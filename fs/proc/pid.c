/* SPDX-License-Identifier: MIT */
/*
 * pid.c - the directories of processes and threads: /proc/PID, /proc/PID/task, /proc/PID/task/TID.
 *
 * Nothing of them exists between two questions. A look-up finds the process (or thread) by number and
 * makes an inode from the table below, owned by the process's user, or by root when it must not be
 * looked into. Reading a directory goes through the table, or through the numbers in use.
 */
#include <uapi/errno.h>
#include "fs/dir.h"
#include "fs/proc/internal.h"
#include "kernel/cred.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/phys/slab.h"

static const struct inode_ops entries_ops, task_ops;
static const struct file_ops entries_fops, task_fops;

#define TEXT_FILE(n, m, w, o)                                              \
	{                                                                  \
		.name = n, .mode = S_IFREG | (m), .where = w, .text = &(o) \
	}
#define LINK(n, o)                                             \
	{                                                      \
		.name = n, .mode = S_IFLNK | 0777, .ops = &(o) \
	}
#define DIRECTORY(n, m, w, o, f)                                                        \
	{                                                                               \
		.name = n, .mode = S_IFDIR | (m), .where = w, .ops = &(o), .fops = &(f) \
	}

static const struct proc_entry entries[] = {
	DIRECTORY("task", 0555, PROC_PROCESS, task_ops, task_fops),
	DIRECTORY("fd", 0500, PROC_BOTH, proc_fd_ops, proc_fd_fops),
	DIRECTORY("map_files", 0500, PROC_PROCESS, proc_map_files_ops, proc_map_files_fops),
	DIRECTORY("fdinfo", 0555, PROC_BOTH, proc_fdinfo_ops, proc_fdinfo_fops),
	TEXT_FILE("environ", 0400, PROC_BOTH, proc_environ_ops),
	TEXT_FILE("auxv", 0400, PROC_BOTH, proc_auxv_ops),
	TEXT_FILE("status", 0444, PROC_BOTH, proc_status_ops),
	TEXT_FILE("personality", 0400, PROC_BOTH, proc_personality_ops),
	TEXT_FILE("limits", 0444, PROC_BOTH, proc_limits_ops),
	TEXT_FILE("comm", 0644, PROC_BOTH, proc_comm_ops),
	TEXT_FILE("cmdline", 0444, PROC_BOTH, proc_cmdline_ops),
	TEXT_FILE("stat", 0444, PROC_BOTH, proc_stat_ops),
	TEXT_FILE("statm", 0444, PROC_BOTH, proc_statm_ops),
	TEXT_FILE("maps", 0444, PROC_BOTH, proc_maps_ops),
	TEXT_FILE("children", 0444, PROC_THREAD, proc_children_ops),
	{.name = "mem", .mode = S_IFREG | 0600, .fops = &proc_mem_fops},
	LINK("cwd", proc_cwd_ops),
	LINK("root", proc_root_ops),
	LINK("exe", proc_exe_ops),
	TEXT_FILE("mounts", 0444, PROC_BOTH, proc_mounts_ops),
	TEXT_FILE("mountinfo", 0444, PROC_BOTH, proc_mountinfo_ops),
	TEXT_FILE("smaps", 0444, PROC_BOTH, proc_smaps_ops),
	TEXT_FILE("smaps_rollup", 0444, PROC_BOTH, proc_smaps_rollup_ops),
	{.name = "pagemap", .mode = S_IFREG | 0400, .fops = &proc_pagemap_fops},
	TEXT_FILE("clear_refs", 0200, PROC_BOTH, proc_clear_refs_ops),
	TEXT_FILE("cgroup", 0444, PROC_BOTH, proc_cgroup_ops),
	TEXT_FILE("oom_score", 0444, PROC_BOTH, proc_oom_score_ops),
	TEXT_FILE("oom_score_adj", 0644, PROC_BOTH, proc_oom_score_adj_ops),
};

static const struct proc_entry pid_entry = {
	.mode = S_IFDIR | 0555, .ops = &entries_ops, .fops = &entries_fops};

static bool is_in(const struct proc_entry *e, const struct proc_inode *dir)
{
	return e->where == PROC_BOTH || (e->where == PROC_THREAD) == dir->single;
}

/* --- whom an inode is about -------------------------------------------------------------------------- */

/* process_of_thread - with a reference; NULL: no thread has the number. */
static struct process *process_of_thread(struct pid *pid)
{
	struct user_thread *u = pid_thread(pid);
	struct process *p;

	if (!u)
		return NULL;
	p = u->proc;
	process_get(p);
	user_thread_put(u);
	return p;
}

/* A thread that is gone is gone, although its process may have the same number. */
struct process *proc_process(const struct inode *inode)
{
	const struct proc_inode *i = proc_inode(inode);

	return i->single ? process_of_thread(i->pid) : pid_process(i->pid);
}

/* bearer_of - the process with this number, or the one that has a thread of this number, with a reference. */
static struct process *bearer_of(struct pid *pid)
{
	struct process *p = pid_process(pid);

	return p ? p : process_of_thread(pid);
}

struct user_thread *proc_thread(const struct inode *inode, struct process *p)
{
	const struct proc_inode *i = proc_inode(inode);

	return i->single ? pid_thread(i->pid) : inspect_first_thread(p);
}

int proc_inspected(const struct inode *inode, struct process **out)
{
	struct process *p = proc_process(inode);

	if (!p)
		return -ESRCH;
	if (!inspect_allowed(p)) {
		process_put(p);
		return -EACCES;
	}
	*out = p;
	return 0;
}

/* --- making names ------------------------------------------------------------------------------------ */

void proc_inode_free(struct inode *inode)
{
	struct proc_inode *i = proc_inode(inode);

	pid_put(i->pid);
	kfree(i);
}

static const struct inode_ops file_ops_of_text = {.free = proc_inode_free};

/* set_owner - who may look: the process's user. What is readable by all belongs to that user as well, unless the
 * process has been made undumpable; its directory belongs to the user even then. */
static void set_owner(struct inode *inode)
{
	struct process *p = bearer_of(proc_inode(inode)->pid);
	const struct cred *c;

	if (!p)
		return;
	c = process_cred(p);
	if (READ_ONCE(p->dumpable) == 1 || inode->mode == (S_IFDIR | 0555)) {
		inode->uid = c->euid;
		inode->gid = c->egid;
	}
	cred_put(c);
	process_put(p);
}

static struct inode *inode_create(struct super *s, const struct proc_entry *e, struct pid *pid,
				  u64 ino)
{
	struct proc_inode *i = kmalloc(sizeof(*i), PA_ZERO);
	const struct file_ops *fops = e->text ? &text_file_ops : e->fops;

	if (!i)
		return NULL;
	inode_init(&i->inode, e->mode, e->ops ? e->ops : &file_ops_of_text, fops);
	inode_set_super(&i->inode, s);
	i->inode.ino = ino;
	i->inode.private_data = (void *)e->text;
	if (S_ISDIR(e->mode))
		i->inode.nlink = 2;
	pid_get(pid);
	i->pid = pid;
	set_owner(&i->inode);
	return &i->inode;
}

int proc_name(struct dentry *dir, const char *name, size_t len, const struct proc_entry *e,
	      struct pid *pid, u64 ino, struct dentry **out)
{
	struct dentry *d = dentry_alloc(dir, name, len);

	if (!d)
		return -ENOMEM;
	d->inode = inode_create(dir->inode->super, e, pid ? pid : proc_inode(dir->inode)->pid, ino);
	if (!d->inode) {
		dentry_put(d);
		return -ENOMEM;
	}
	if (!pid)
		proc_inode(d->inode)->single = proc_inode(dir->inode)->single;
	*out = d;
	return 0;
}

int proc_number(const char *name, size_t len, u32 *out)
{
	u64 n = 0;

	if (!len || len > 10 || (len > 1 && name[0] == '0'))
		return -ENOENT;
	for (size_t i = 0; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return -ENOENT;
		n = n * 10 + (u64)(name[i] - '0');
	}
	*out = (u32)n;
	return n < UINT32_MAX ? 0 : -ENOENT;
}

/* --- /proc/PID and /proc/PID/task/TID ----------------------------------------------------------------- */

static u64 entry_ino(const struct proc_inode *dir, size_t n)
{
	return PROC_INO(dir->pid->nr, dir->single ? INO_THREAD_ENTRY : INO_ENTRY, n + 1);
}

static int entries_lookup(struct dentry *dir, const char *name, size_t len, struct dentry **out)
{
	struct proc_inode *i = proc_inode(dir->inode);
	struct process *p = proc_process(dir->inode);

	if (!p)
		return -ENOENT;
	process_put(p);
	for (size_t n = 0; n < ARRAY_SIZE(entries); n++) {
		const struct proc_entry *e = &entries[n];

		if (is_in(e, i) && strlen(e->name) == len && !memcmp(e->name, name, len))
			return proc_name(dir, name, len, e, NULL, entry_ino(i, n), out);
	}
	return -ENOENT;
}

static int entries_readdir(struct file *f, vaddr_t buf, u32 size)
{
	struct dir_fill fill = {.buf = buf, .left = size};
	struct proc_inode *i = proc_inode(f->inode);
	struct process *p = proc_process(f->inode);
	int err = 0;

	if (!p)
		return -ENOENT;
	process_put(p);
	if (!dir_fill_dots(f, &fill, &err))
		return err ? err : (int)fill.done;
	for (size_t n = f->pos - 2; n < ARRAY_SIZE(entries); f->pos = 2 + ++n) {
		const struct proc_entry *e = &entries[n];

		if (is_in(e, i) && !dir_emit(&fill, e->name, strlen(e->name), entry_ino(i, n),
					     e->mode, n + 3, &err))
			break;
	}
	return err ? err : (int)fill.done;
}

static const struct inode_ops entries_ops = {.lookup = entries_lookup, .free = proc_inode_free};
static const struct file_ops entries_fops = {
	.read = dir_read, .seek = dir_seek, .readdir = entries_readdir};

/* --- directories of numbers -------------------------------------------------------------------------- */

void proc_fill_numbers(struct file *f, struct dir_fill *fill, u64 first, u32 type, u64 ino_base,
		       u32 (*next)(struct file *, u32 from), int *err)
{
	u32 nr = f->pos > first ? (u32)(f->pos - first) : 0;
	char name[12];

	while ((nr = next(f, nr)) != UINT32_MAX && !signal_fatal(current)) {
		int len = snprintf(name, sizeof(name), "%u", nr);

		f->pos = first + nr;
		if (!dir_emit(fill, name, (size_t)len, ino_base + nr, type, first + nr + 1, err))
			return;
		f->pos = first + ++nr;
	}
}

static u32 next_pid(struct file *f UNUSED, u32 from)
{
	struct process *p = process_find_from(from);
	u32 nr;

	if (!p)
		return UINT32_MAX;
	nr = user_pid(p);
	process_put(p);
	return nr;
}

void proc_pid_fill(struct file *f, struct dir_fill *fill, u64 first, int *err)
{
	proc_fill_numbers(f, fill, first, S_IFDIR, PROC_INO(0, INO_TASK, 0), next_pid, err);
}

int proc_pid_lookup(struct dentry *root, const char *name, size_t len, struct dentry **out)
{
	struct process *p = NULL;
	struct pid *pid;
	u32 nr;
	int err = proc_number(name, len, &nr);

	if (err)
		return err;
	pid = pid_find(nr);
	if (pid)
		p = bearer_of(pid);
	if (p)
		err = proc_name(root, name, len, &pid_entry, pid, PROC_INO(0, INO_TASK, nr), out);
	else
		err = -ENOENT;
	if (p) {
		/* The number of any thread will do, although only processes are listed. */
		if (!err)
			proc_inode((*out)->inode)->single = user_pid(p) != nr;
		process_put(p);
	}
	if (pid)
		pid_put(pid);
	return err;
}

/* --- /proc/PID/task ----------------------------------------------------------------------------------- */

static u32 next_tid(struct file *f, u32 from)
{
	struct process *p = proc_process(f->inode);
	struct user_thread *u;
	u32 nr = UINT32_MAX;

	if (!p)
		return nr;
	u = inspect_next_thread(p, from);
	process_put(p);
	if (u) {
		nr = user_tid(u);
		user_thread_put(u);
	}
	return nr;
}

static int task_readdir(struct file *f, vaddr_t buf, u32 size)
{
	struct dir_fill fill = {.buf = buf, .left = size};
	u64 ino = PROC_INO(proc_inode(f->inode)->pid->nr, INO_TASK, 0);
	int err = 0;

	if (dir_fill_dots(f, &fill, &err))
		proc_fill_numbers(f, &fill, 2, S_IFDIR, ino, next_tid, &err);
	return err ? err : (int)fill.done;
}

/* thread_of - the process's own thread of this number, with a reference. */
static struct user_thread *thread_of(struct process *p, u32 tid)
{
	struct user_thread *u = inspect_next_thread(p, tid);

	if (u && user_tid(u) != tid) {
		user_thread_put(u);
		u = NULL;
	}
	return u;
}

static int task_lookup(struct dentry *dir, const char *name, size_t len, struct dentry **out)
{
	struct process *p = proc_process(dir->inode);
	struct user_thread *u = NULL;
	u32 nr;
	int err = -ENOENT;

	if (!p)
		return -ENOENT;
	if (!proc_number(name, len, &nr))
		u = thread_of(p, nr);
	if (u) {
		struct pid *pid = pid_find(nr);

		if (pid) {
			err = proc_name(dir, name, len, &pid_entry, pid,
					PROC_INO(user_pid(p), INO_TASK, nr), out);
			pid_put(pid);
		}
		if (!err)
			proc_inode((*out)->inode)->single = true;
		user_thread_put(u);
	}
	process_put(p);
	return err;
}

static const struct inode_ops task_ops = {.lookup = task_lookup, .free = proc_inode_free};
static const struct file_ops task_fops = {
	.read = dir_read, .seek = dir_seek, .readdir = task_readdir};
