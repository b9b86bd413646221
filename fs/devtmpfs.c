/* SPDX-License-Identifier: MIT */
/*
 * devtmpfs.c - a tmpfs that, when it is mounted, contains a node for every device the kernel knows.
 *
 * Each mount is a file system of its own. Devices that are registered later do not appear in it.
 */
#include <uapi/errno.h>
#include "fs/vfs.h"
#include "lib/string.h"

static int make_node(const char *name, u64 rdev, u32 mode, void *root)
{
	struct vfs_new what = {.mode = S_IFCHR | mode, .rdev = rdev};
	struct inode *dir = ((struct dentry *)root)->inode;
	struct dentry *d = dentry_alloc(root, name, strlen(name));
	int err;

	if (!d)
		return -ENOMEM;
	mutex_lock(&dir->lock);
	err = dir->ops->create(dir, d, &what);
	if (!err)
		dentry_link(d);
	mutex_unlock(&dir->lock);
	dentry_put(d);
	return err;
}

static int devtmpfs_mount(struct super *s, const char *options)
{
	int err = tmpfs_mount_with_mode(s, options, 0755);

	return err ? err : device_for_each(make_node, s->root);
}

const struct fs_type devtmpfs_type = {"devtmpfs", devtmpfs_mount};
