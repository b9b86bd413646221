/* SPDX-License-Identifier: MIT */
/*
 * anon_file.c - open files that no name leads to, and what to call them all the same.
 *
 * eventfd, epoll and their like are a struct file with private data; what fstat shows of them is one inode that
 * they share. Everything open can be told by a text, the one that /proc/self/fd shows: its path, or
 * its kind.
 */
#include <uapi/errno.h>
#include "fs/file.h"
#include "fs/vfs.h"
#include "lib/printf.h"

#define ANON_DEV 0x0f

/* Never called: the inode's first reference is its own. */
static void anon_inode_free(struct inode *inode)
{
	(void)inode;
}

static const struct inode_ops anon_inode_ops = {.free = anon_inode_free};
static const struct file_ops no_ops;
static struct inode anon_inode;

void anon_file_init(void)
{
	inode_init(&anon_inode, 0600, &anon_inode_ops, NULL);
	anon_inode.dev = ANON_DEV;
}

int anon_file_create(const char *name, const struct file_ops *ops, void *private_data, u32 flags,
		     struct file **out)
{
	struct file *f;
	int err = file_alloc(&anon_inode, ops, flags, &f);

	if (err)
		return err;
	f->anon_name = name;
	f->private_data = private_data;
	*out = f;
	return 0;
}

int anon_fd_create(const char *name, const struct file_ops *ops, void *private_data, u32 flags)
{
	struct file *f;
	int fd = anon_file_create(name, ops, private_data, flags, &f);

	if (fd)
		return fd;
	fd = fd_install(f, 0, flags & O_CLOEXEC);
	if (fd < 0) {
		file_set_ops(f, &no_ops); /* the private data is still the caller's */
		file_put(f);
	}
	return fd;
}

s64 anon_file_seek(struct file *f, s64 offset, int whence)
{
	(void)f;
	(void)offset;
	(void)whence;
	return 0;
}

int file_link_text(struct file *f, char *buf, size_t size)
{
	u32 type = f->inode->mode & S_IFMT;
	int n;

	if (f->dentry)
		return dentry_path(f->dentry, buf, size, true);
	if (f->anon_name)
		n = snprintf(buf, size, "anon_inode:%s", f->anon_name);
	else
		n = snprintf(buf, size, "%s:[%lu]", type == S_IFIFO ? "pipe" : "socket",
			     f->inode->ino);
	return (size_t)n < size ? 0 : -ENAMETOOLONG;
}
