/* SPDX-License-Identifier: MIT */
/*
 * root.c - /proc itself: what is the system's lies in a pinned tree, what is a process's is made on demand.
 */
#include <uapi/errno.h>
#include "fs/dir.h"
#include "fs/proc/internal.h"
#include "lib/printf.h"
#include "lib/string.h"

#define PROC_SUPER_MAGIC 0x9fa0
#define FIRST_PID        0x100 /* positions in the root directory: behind all names of the tree */

static int root_readdir(struct file *f, vaddr_t buf, u32 size)
{
	struct dir_fill fill = {.buf = buf, .left = size};
	int err = 0;

	if (dir_fill_tree(f, &fill, &err))
		proc_pid_fill(f, &fill, FIRST_PID, &err);
	return err ? err : (int)fill.done;
}

static const struct inode_ops root_ops = {.lookup = proc_pid_lookup, .free = text_inode_free};
static const struct file_ops root_fops = {
	.read = dir_read, .seek = dir_seek, .readdir = root_readdir};

/* --- self, thread-self -------------------------------------------------------------------------------- */

static int link_text(char *buf, size_t size, const char *text, int n)
{
	n = (int)MIN((size_t)n, size);
	memcpy(buf, text, (size_t)n);
	return n;
}

static int self_readlink(struct dentry *d UNUSED, char *buf, size_t size)
{
	char text[16];

	if (!current->proc)
		return -ENOENT;
	return link_text(buf, size, text,
			 snprintf(text, sizeof(text), "%u", user_pid(current_process)));
}

static int thread_self_readlink(struct dentry *d UNUSED, char *buf, size_t size)
{
	char text[32];

	if (!current->proc)
		return -ENOENT;
	return link_text(buf, size, text,
			 snprintf(text, sizeof(text), "%u/task/%u", user_pid(current_process),
				  user_tid(current_user)));
}

static const struct inode_ops self_ops = {.readlink = self_readlink, .free = text_inode_free};
static const struct inode_ops thread_self_ops = {.readlink = thread_self_readlink,
						 .free = text_inode_free};

/* --- mounting ----------------------------------------------------------------------------------------- */

static int proc_statfs(struct super *s UNUSED, struct uapi_statfs *st)
{
	return statfs_memory(st, PROC_SUPER_MAGIC);
}

static const struct super_ops proc_super_ops = {.statfs = proc_statfs};

static int add_links(struct dentry *root)
{
	int err = text_link_ops(root, "self", &self_ops);

	if (!err)
		err = text_link_ops(root, "thread-self", &thread_self_ops);
	if (!err)
		err = text_link(root, "mounts", "self/mounts");
	return err;
}

static int proc_mount(struct super *s, const char *options UNUSED)
{
	int err;

	s->ops = &proc_super_ops;
	s->root = text_root(s, 0555, &root_ops, &root_fops);
	if (!s->root)
		return -ENOMEM;
	err = add_links(s->root);
	if (!err)
		err = proc_add_system(s->root);
	if (!err)
		err = proc_add_memory(s->root);
	if (!err)
		err = proc_add_pages(s->root);
	if (!err)
		err = proc_add_sysctl(s->root);
	if (!err)
		err = proc_add_quire(s->root);
	return err;
}

const struct fs_type proc_type = {.name = "proc", .mount = proc_mount};
