/* SPDX-License-Identifier: MIT */
/*
 * fd.c - the descriptors of a process: fd/ with links to what is open, fdinfo/ with how it is open.
 *
 * Following a link of fd/ and opening what it leads to makes a new opening of the same file, also of one that
 * has no name (any more): then a name without a directory is made for it.
 */
#include <uapi/errno.h>
#include "fs/dir.h"
#include "fs/proc/internal.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/phys/slab.h"

/* file_of - what the descriptor in the inode refers to, for those who may look. -ENOENT: closed. */
static int file_of(const struct inode *inode, struct file **out, bool *cloexec)
{
	struct process *p;
	int err = proc_inspected(inode, &p);

	if (err)
		return err == -ESRCH ? -ENOENT : err;
	*out = inspect_file(p, (u32)proc_inode(inode)->arg[0], cloexec);
	process_put(p);
	return *out ? 0 : -ENOENT;
}

/* --- links -------------------------------------------------------------------------------------------- */

static int link_readlink(struct dentry *link, char *buf, size_t size)
{
	struct file *f;
	char *text;
	int n = file_of(link->inode, &f, NULL);

	if (n)
		return n;
	text = kmalloc(PATH_MAX, 0);
	n = text ? file_link_text(f, text, PATH_MAX) : -ENOMEM;
	file_put(f);
	if (!n) {
		n = (int)MIN(strlen(text), size);
		memcpy(buf, text, (size_t)n);
	}
	kfree(text);
	return n;
}

/* name_for - a dentry for an open file that has none. */
static struct dentry *name_for(struct file *f)
{
	struct dentry *d = dentry_alloc_root(f->inode);

	if (d)
		inode_get(f->inode);
	return d;
}

static int link_follow(struct dentry *link, struct dentry **out)
{
	struct file *f;
	int err = file_of(link->inode, &f, NULL);

	if (err)
		return err;
	*out = f->dentry;
	if (*out)
		dentry_get(*out);
	else
		*out = name_for(f);
	file_put(f);
	return *out ? 0 : -ENOMEM;
}

static const struct inode_ops link_ops = {
	.readlink = link_readlink, .follow = link_follow, .free = proc_inode_free};
static const struct proc_entry link_entry = {.mode = S_IFLNK, .ops = &link_ops};

/* --- fdinfo ------------------------------------------------------------------------------------------- */

static int fdinfo_show(struct file *self, struct text *t)
{
	struct file *f;
	bool cloexec = false;
	int err = file_of(self->inode, &f, &cloexec);

	if (err)
		return err;
	text_printf(t, "pos:\t%lu\nflags:\t0%o\nmnt_id:\t%u\nino:\t%lu\n", READ_ONCE(f->pos),
		    f->flags | (cloexec ? O_CLOEXEC : 0), DEV_MINOR(f->inode->dev), f->inode->ino);
	file_put(f);
	return 0;
}

static const struct text_ops fdinfo_ops = {.show = fdinfo_show};
static const struct proc_entry fdinfo_entry = {.mode = S_IFREG | 0400, .text = &fdinfo_ops};

/* --- directories -------------------------------------------------------------------------------------- */

/* fd_name - a link or file for a descriptor that is in use. A link's mode says how the file is open. */
static int fd_name(struct dentry *dir, const char *name, size_t len, const struct proc_entry *e,
		   enum proc_ino_kind kind, struct dentry **out)
{
	struct process *p;
	struct file *f = NULL;
	u32 fd;
	int err = proc_number(name, len, &fd);

	if (err)
		return err;
	err = proc_inspected(dir->inode, &p);
	if (err)
		return err == -ESRCH ? -ENOENT : err;
	f = inspect_file(p, fd, NULL);
	process_put(p);
	if (!f)
		return -ENOENT;
	err = proc_name(dir, name, len, e, NULL,
			PROC_INO(proc_inode(dir->inode)->pid->nr, kind, fd), out);
	if (!err) {
		proc_inode((*out)->inode)->arg[0] = fd;
		if (S_ISLNK(e->mode))
			(*out)->inode->mode |=
				(f->can_read ? 0500u : 0) | (f->can_write ? 0300u : 0);
	}
	file_put(f);
	return err;
}

static int fd_lookup(struct dentry *dir, const char *name, size_t len, struct dentry **out)
{
	return fd_name(dir, name, len, &link_entry, INO_FD, out);
}

static int fdinfo_lookup(struct dentry *dir, const char *name, size_t len, struct dentry **out)
{
	return fd_name(dir, name, len, &fdinfo_entry, INO_FDINFO, out);
}

static u32 next_fd(struct file *f, u32 from)
{
	struct process *p = proc_process(f->inode);
	u32 fd = UINT32_MAX;

	if (p) {
		fd = inspect_next_fd(p, from);
		process_put(p);
	}
	return fd;
}

static int fill_fds(struct file *f, vaddr_t buf, u32 size, u32 type, enum proc_ino_kind kind)
{
	struct dir_fill fill = {.buf = buf, .left = size};
	struct process *p;
	int err = proc_inspected(f->inode, &p);

	if (err)
		return err == -ESRCH ? -ENOENT : err;
	process_put(p);
	if (dir_fill_dots(f, &fill, &err))
		proc_fill_numbers(f, &fill, 2, type,
				  PROC_INO(proc_inode(f->inode)->pid->nr, kind, 0), next_fd, &err);
	return err ? err : (int)fill.done;
}

static int fd_readdir(struct file *f, vaddr_t buf, u32 size)
{
	return fill_fds(f, buf, size, S_IFLNK, INO_FD);
}

static int fdinfo_readdir(struct file *f, vaddr_t buf, u32 size)
{
	return fill_fds(f, buf, size, S_IFREG, INO_FDINFO);
}

const struct inode_ops proc_fd_ops = {.lookup = fd_lookup, .free = proc_inode_free};
const struct inode_ops proc_fdinfo_ops = {.lookup = fdinfo_lookup, .free = proc_inode_free};
const struct file_ops proc_fd_fops = {.read = dir_read, .seek = dir_seek, .readdir = fd_readdir};
const struct file_ops proc_fdinfo_fops = {
	.read = dir_read, .seek = dir_seek, .readdir = fdinfo_readdir};
