/* SPDX-License-Identifier: MIT */
/*
 * links.c - exe, cwd and root of a process: links that lead to the file itself, wherever its name is by now.
 */
#include <uapi/errno.h>
#include "fs/proc/internal.h"
#include "lib/string.h"
#include "mm/phys/slab.h"

/* target - what the link leads to, for those who may see it. */
static int target(struct dentry *link, struct dentry *(*get)(struct process *), struct dentry **out)
{
	struct process *p;
	int err = proc_inspected(link->inode, &p);

	if (err)
		return err == -ESRCH ? -ENOENT : err;
	*out = get(p);
	process_put(p);
	return *out ? 0 : -ENOENT;
}

static int text_of(struct dentry *link, struct dentry *(*get)(struct process *), char *buf,
		   size_t size)
{
	struct dentry *d;
	char *path;
	int n = target(link, get, &d);

	if (n)
		return n;
	path = kmalloc(PATH_MAX, 0);
	n = path ? dentry_path(d, path, PATH_MAX, true) : -ENOMEM;
	dentry_put(d);
	if (!n) {
		n = (int)MIN(strlen(path), size);
		memcpy(buf, path, (size_t)n);
	}
	kfree(path);
	return n;
}

#define LINK_OPS(what)                                                          \
	static int what##_readlink(struct dentry *link, char *buf, size_t size) \
	{                                                                       \
		return text_of(link, inspect_##what, buf, size);                \
	}                                                                       \
	static int what##_follow(struct dentry *link, struct dentry **out)      \
	{                                                                       \
		return target(link, inspect_##what, out);                       \
	}                                                                       \
	const struct inode_ops proc_##what##_ops = {                            \
		.readlink = what##_readlink, .follow = what##_follow, .free = proc_inode_free}

LINK_OPS(exe);
LINK_OPS(cwd);
LINK_OPS(root);
