/* SPDX-License-Identifier: MIT */
/*
 * mount.c - where file systems hang in the tree of names.
 *
 * A file system has one tree of names, and that tree lies at one place. So a mount needs no object of its own:
 * the directory that is covered points at the super, and the super at the directory. Mounting over the
 * root of a file system that is itself mounted stacks them.
 *
 * All of it changes under vfs_rename_lock. A walk that meets a covered directory takes that lock to
 * cross; one that meets none looks at a pointer.
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include <uapi/mount.h>
#include "fs/vfs.h"
#include "kernel/process.h"
#include "lib/atomic.h"
#include "lib/refcount.h"

static struct list_head mounts = LIST_INIT(mounts);

/* --- crossing ---------------------------------------------------------------------------------------- */

struct dentry *mount_cross(struct dentry *d)
{
	while (unlikely(READ_ONCE(d->mounted))) {
		struct dentry *root = NULL;

		mutex_lock(&vfs_rename_lock);
		if (d->mounted) {
			root = d->mounted->root;
			dentry_get(root);
		}
		mutex_unlock(&vfs_rename_lock);
		if (!root)
			break;
		dentry_put(d);
		d = root;
	}
	return d;
}

struct dentry *mount_parent(struct dentry *d, const struct dentry *root)
{
	assert_held(&vfs_rename_lock);
	while (d != root && d->parent == d && d->super && d->super->mountpoint)
		d = d->super->mountpoint;
	return d == root ? d : d->parent;
}

int vfs_for_each_mount(int (*fn)(struct super *, void *arg), void *arg)
{
	struct super *s;
	int result = 0;

	mutex_lock(&vfs_rename_lock);
	list_for_each (s, &mounts, link) {
		result = fn(s, arg);
		if (result)
			break;
	}
	mutex_unlock(&vfs_rename_lock);
	return result;
}

/* --- attaching --------------------------------------------------------------------------------------- */

/* in_tree - names made on demand come and go with their users: nothing can be mounted there. */
static bool in_tree(const struct dentry *d)
{
	return d->parent == d || (!d->unlinked && !list_empty(&d->sibling));
}

/* set_mounted - a directory's removal, which holds the lock of the directory above, sees it or comes first. */
static int set_mounted(struct dentry *d, struct super *s)
{
	struct mutex *lock = d->parent == d ? NULL : &d->parent->inode->lock;
	int err = 0;

	if (lock)
		mutex_lock(lock);
	if (s && !in_tree(d))
		err = -ENOENT;
	else
		WRITE_ONCE(d->mounted, s);
	if (lock)
		mutex_unlock(lock);
	return err;
}

/* is_mounted - still reachable from the root of all. Needs vfs_rename_lock. */
static bool is_mounted(const struct super *s)
{
	return s && !list_empty(&s->link);
}

/* cover - s shall hang over a directory, or over what is mounted there. *place: the directory it covers, with a
 * reference. Needs vfs_rename_lock. */
static int cover(struct super *s, struct dentry *over, struct dentry **place)
{
	int err;

	if (!S_ISDIR(over->inode->mode))
		return -ENOTDIR;
	while (over->mounted)
		over = over->mounted->root;
	if (!is_mounted(over->super))
		return -EINVAL;
	err = set_mounted(over, s);
	if (err)
		return err;
	dentry_get(over);
	*place = over;
	return 0;
}

/* detach - the reference on the directory that was covered passes to the caller. Needs vfs_rename_lock. */
static struct dentry *detach(struct super *s)
{
	struct dentry *over = s->mountpoint;

	set_mounted(over, NULL);
	s->mountpoint = NULL;
	list_del(&s->link);
	return over;
}

int vfs_mount(const struct fs_type *type, const char *source, struct dentry *over, u32 flags,
	      const char *options)
{
	struct super *s;
	int err;

	if (!S_ISDIR(over->inode->mode))
		return -ENOTDIR;
	err = super_create(type, source, flags, options, &s);
	if (err)
		return err;
	mutex_lock(&vfs_rename_lock);
	err = cover(s, over, &s->mountpoint);
	if (!err)
		list_add_tail(&s->link, &mounts);
	mutex_unlock(&vfs_rename_lock);
	if (err)
		dentry_put(s->root);
	return err;
}

void mount_root(struct super *s)
{
	mutex_lock(&vfs_rename_lock);
	list_add_tail(&s->link, &mounts);
	mutex_unlock(&vfs_rename_lock);
}

/* is_root - of a file system that hangs somewhere. */
static bool is_root(const struct dentry *d)
{
	return d->super && d->super->root == d && is_mounted(d->super);
}

int vfs_remount(struct dentry *root, u32 flags, const char *options)
{
	struct super *s = root->super;
	int err = 0;

	mutex_lock(&vfs_rename_lock);
	if (!is_root(root))
		err = -EINVAL;
	else if ((flags & ~s->flags & MS_RDONLY) && atomic_load(&s->writers))
		err = -EBUSY;
	else if (options && *options && s->ops->remount)
		err = s->ops->remount(s, options);
	if (!err)
		WRITE_ONCE(s->flags, flags);
	mutex_unlock(&vfs_rename_lock);
	return err;
}

/* --- moving ------------------------------------------------------------------------------------------ */

/* lies_below - is d in the file system s, or in one that hangs below it? What is in none (a pipe) is not. Needs
 * vfs_rename_lock. */
static bool lies_below(const struct dentry *d, const struct super *s)
{
	for (; d && d->super; d = d->super->mountpoint)
		if (d->super == s)
			return true;
	return false;
}

int vfs_move_mount(struct dentry *root, struct dentry *over)
{
	struct super *s = root->super;
	struct dentry *old = NULL, *place;
	int err = 0;

	mutex_lock(&vfs_rename_lock);
	if (!is_root(root) || !s->mountpoint)
		err = -EINVAL;
	else if (lies_below(over, s))
		err = -ELOOP;
	if (!err)
		err = cover(s, over, &place);
	if (!err) {
		old = detach(s);
		s->mountpoint = place;
		list_add_tail(&s->link, &mounts);
	}
	mutex_unlock(&vfs_rename_lock);
	if (old)
		dentry_put(old);
	return err;
}

/* --- unmounting -------------------------------------------------------------------------------------- */

/* outermost - s, or something that hangs below it with nothing below itself. Needs vfs_rename_lock. */
static struct super *outermost(struct super *s)
{
	struct super *other;

again:
	list_for_each (other, &mounts, link) {
		if (other != s && other->mountpoint && lies_below(other->mountpoint, s)) {
			s = other;
			goto again;
		}
	}
	return s;
}

/* unmount_all - s and all that hangs below it, whoever still uses them. */
static int unmount_all(struct super *s)
{
	struct super *gone = NULL;

	while (gone != s) {
		struct dentry *over = NULL;

		mutex_lock(&vfs_rename_lock);
		gone = is_mounted(s) ? outermost(s) : NULL;
		if (gone)
			over = detach(gone);
		mutex_unlock(&vfs_rename_lock);
		if (!gone)
			return -EINVAL;
		dentry_put(over);
		dentry_put(gone->root);
	}
	return 0;
}

int vfs_unmount(struct dentry *root, bool lazy)
{
	struct super *s = root->super;
	struct dentry *over;
	int err = 0;

	mutex_lock(&vfs_rename_lock);
	if (!is_root(root) || !s->mountpoint)
		err = -EINVAL;
	else if (!lazy && atomic_load(&s->users) > 2) /* the mount itself, and our caller */
		err = -EBUSY;
	if (err || lazy) {
		mutex_unlock(&vfs_rename_lock);
		return err ? err : unmount_all(s);
	}
	over = detach(s);
	mutex_unlock(&vfs_rename_lock);
	dentry_put(over);
	dentry_put(s->root);
	return 0;
}
