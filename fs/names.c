/* SPDX-License-Identifier: MIT */
/*
 * names.c - making, removing and moving names: what is the same for all file systems.
 *
 * The file system is asked (inode_ops) with the directory locked; the tree of names changes only after it
 * has agreed.
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include "fs/vfs.h"
#include "lib/refcount.h"

/* may_change - names may be made and removed in this directory now. Lock held. */
static int may_change(const struct dentry *dir)
{
	int err = dir->unlinked ? -ENOENT : super_want_write(dir->inode);

	return err ? err : vfs_permission(dir->inode, W_OK | X_OK, false);
}

static void touch_directory(struct inode *dir)
{
	dir->mtime = dir->ctime = vfs_now();
}

static int create_locked(struct dentry *dir, struct dentry *d, const struct vfs_new *what)
{
	struct dentry *old;
	int err;

	old = dentry_find(dir, d->name, d->name_len);
	if (old) {
		dentry_put(old);
		return -EEXIST;
	}
	err = may_change(dir);
	if (err)
		return err;
	if (!dir->inode->ops->create)
		return -EPERM;
	err = dir->inode->ops->create(dir->inode, d, what);
	if (err)
		return err;
	dentry_link(d);
	if (S_ISDIR(what->mode))
		dir->inode->nlink++;
	touch_directory(dir->inode);
	return 0;
}

int vfs_create(struct dentry *dir, const char *name, size_t len, const struct vfs_new *what,
	       struct dentry **out)
{
	struct dentry *d = dentry_alloc(dir, name, len);
	int err;

	if (!d)
		return -ENOMEM;
	mutex_lock(&dir->inode->lock);
	err = create_locked(dir, d, what);
	mutex_unlock(&dir->inode->lock);
	if (!err && out)
		*out = d;
	else
		dentry_put(d);
	return err;
}

static int link_locked(struct dentry *dir, struct dentry *d, struct inode *inode)
{
	struct dentry *old = dentry_find(dir, d->name, d->name_len);
	int err;

	if (old) {
		dentry_put(old);
		return -EEXIST;
	}
	err = may_change(dir);
	if (err)
		return err;
	inode_get(inode);
	d->inode = inode;
	dentry_link(d);
	touch_directory(dir->inode);
	return 0;
}

int vfs_link(struct dentry *old, struct dentry *dir, const char *name, size_t len)
{
	struct inode *inode = old->inode;
	struct dentry *d;
	int err;

	if (inode->super != dir->inode->super)
		return -EXDEV;
	if (S_ISDIR(inode->mode))
		return -EPERM;
	d = dentry_alloc(dir, name, len);
	if (!d)
		return -ENOMEM;
	mutex_lock(&dir->inode->lock);
	mutex_lock_nested(&inode->lock);
	err = inode->nlink ? link_locked(dir, d, inode) : -ENOENT;
	if (!err) {
		inode->nlink++;
		inode->ctime = vfs_now();
	}
	mutex_unlock(&inode->lock);
	mutex_unlock(&dir->inode->lock);
	dentry_put(d);
	return err;
}

/* drop_name - the inode behind a name loses a link. Directory and inode locked. */
static void drop_name(struct dentry *dir, struct dentry *d)
{
	struct inode *inode = d->inode;

	if (S_ISDIR(inode->mode)) {
		inode->nlink = 0;
		dir->inode->nlink--;
	} else {
		inode->nlink--;
	}
	inode->ctime = vfs_now();
	dentry_unlink(d);
	touch_directory(dir->inode);
}

static int check_removal(const struct dentry *d, bool directory)
{
	if (directory) {
		if (!S_ISDIR(d->inode->mode))
			return -ENOTDIR;
		if (d->mounted)
			return -EBUSY;
		return rb_empty(&d->names) ? 0 : -ENOTEMPTY;
	}
	return S_ISDIR(d->inode->mode) ? -EISDIR : 0;
}

int vfs_unlink(struct dentry *dir, const char *name, size_t len, bool directory)
{
	struct dentry *d;
	int err;

	mutex_lock(&dir->inode->lock);
	d = dentry_find(dir, name, len);
	err = d ? may_change(dir) : -ENOENT;
	if (!err) {
		mutex_lock_nested(&d->inode->lock);
		err = check_removal(d, directory);
		if (!err)
			drop_name(dir, d);
		mutex_unlock(&d->inode->lock);
	}
	mutex_unlock(&dir->inode->lock);
	if (d)
		dentry_put(d);
	return err;
}

/* --- rename ------------------------------------------------------------------------------------------ */

struct rename_job {
	struct dentry *old_dir, *new_dir;
	const struct last_name *old_name, *new_name;
	unsigned flags;
	struct dentry *old;    /* referenced */
	struct dentry *target; /* referenced; NULL: none in the way */
	char *name;            /* for old from now on */
};

static bool is_below(const struct dentry *d, const struct dentry *ancestor)
{
	for (; d->parent != d; d = d->parent)
		if (d == ancestor)
			return true;
	return d == ancestor;
}

static int check_rename(const struct rename_job *j)
{
	bool is_dir = S_ISDIR(j->old->inode->mode);
	int err = may_change(j->old_dir);

	if (!err)
		err = may_change(j->new_dir);
	if (err)
		return err;
	if (j->old->mounted || (j->target && j->target->mounted))
		return -EBUSY;
	if (!is_dir && (j->old_name->wants_dir || j->new_name->wants_dir))
		return -ENOTDIR;
	if (is_dir && is_below(j->new_dir, j->old))
		return -EINVAL;
	if (!j->target)
		return 0;
	if (j->flags & RENAME_NOREPLACE)
		return -EEXIST;
	if (is_dir != S_ISDIR(j->target->inode->mode))
		return is_dir ? -ENOTDIR : -EISDIR;
	return rb_empty(&j->target->names) ? 0 : -ENOTEMPTY;
}

/* move_name - all checks are done and nothing can fail. Both directories locked. */
static void move_name(struct rename_job *j)
{
	struct dentry *d = j->old;
	char *old_name = d->name;

	if (j->target)
		drop_name(j->new_dir, j->target);
	dentry_unlink(d);
	d->name = j->name;
	d->name_len = (u32)j->new_name->len;
	j->name = old_name;
	dentry_set_parent(d, j->new_dir);
	dentry_link(d);
	if (S_ISDIR(d->inode->mode)) {
		j->old_dir->inode->nlink--;
		j->new_dir->inode->nlink++;
	}
	touch_directory(j->old_dir->inode);
	touch_directory(j->new_dir->inode);
	d->inode->ctime = vfs_now();
}

static int rename_locked(struct rename_job *j)
{
	int err;

	j->old = dentry_find(j->old_dir, j->old_name->name, j->old_name->len);
	if (!j->old)
		return -ENOENT;
	j->target = dentry_find(j->new_dir, j->new_name->name, j->new_name->len);
	if (j->target && j->target->inode == j->old->inode)
		return j->flags & RENAME_NOREPLACE ? -EEXIST : 0;
	if (j->target && is_below(j->old, j->target))
		return -ENOTEMPTY;
	err = check_rename(j);
	if (!err)
		move_name(j);
	return err;
}

/* lock_two - directories in one order: an ancestor first, else by address. vfs_rename_lock is held. */
static void lock_two(struct dentry *a, struct dentry *b)
{
	if (a == b) {
		mutex_lock(&a->inode->lock);
		return;
	}
	if (is_below(a, b) || (!is_below(b, a) && b < a)) {
		struct dentry *t = a;

		a = b;
		b = t;
	}
	mutex_lock(&a->inode->lock);
	mutex_lock_nested(&b->inode->lock);
}

static void unlock_two(struct dentry *a, struct dentry *b)
{
	mutex_unlock(&a->inode->lock);
	if (a != b)
		mutex_unlock(&b->inode->lock);
}

int vfs_rename(struct dentry *old_dir, const struct last_name *old_name, struct dentry *new_dir,
	       const struct last_name *new_name, unsigned flags)
{
	struct rename_job j = {
		.old_dir = old_dir,
		.new_dir = new_dir,
		.old_name = old_name,
		.new_name = new_name,
		.flags = flags,
	};
	int err;

	if (old_dir->inode->super != new_dir->inode->super)
		return -EXDEV;
	j.name = dentry_name_copy(new_name->name, new_name->len);
	if (!j.name)
		return -ENOMEM;
	mutex_lock(&vfs_rename_lock);
	lock_two(old_dir, new_dir);
	err = rename_locked(&j);
	unlock_two(old_dir, new_dir);
	mutex_unlock(&vfs_rename_lock);
	dentry_name_free(j.name);
	if (j.old)
		dentry_put(j.old);
	if (j.target)
		dentry_put(j.target);
	return err;
}
