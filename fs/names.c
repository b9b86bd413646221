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
#include "kernel/cred.h"
#include "kernel/process.h"
#include "lib/refcount.h"

/* may_change - names may be made and removed in this directory now. Lock held. */
static int may_change(const struct dentry *dir)
{
	int err = dir->unlinked ? -ENOENT : super_want_write(dir->inode);

	if (!err)
		err = vfs_permission(dir->inode, W_OK | X_OK, false);
	/* Where no names can be made they are the file system's own. */
	return !err && !dir->inode->ops->create ? -EPERM : err;
}

static void touch_directory(struct inode *dir)
{
	dir->mtime = dir->ctime = vfs_now();
}

/* inherit - what a new file has from a directory with a set-group-ID bit: its group, and directories the bit. */
static struct vfs_new inherit(const struct inode *dir, const struct vfs_new *what)
{
	struct vfs_new new = *what;

	if (!current->proc || !(dir->mode & S_ISGID))
		return new;
	new.gid = dir->gid;
	if (S_ISDIR(new.mode))
		new.mode |= S_ISGID;
	else if ((new.mode &(S_ISGID | 0010)) == (S_ISGID | 0010) && !cred_in_group(new.gid) &&
		 !cred_capable(CAP_FSETID))
		new.mode &= ~(u32)S_ISGID;
	return new;
}

/* create_inode - the new file itself. Lock of the directory held. */
static int create_inode(struct dentry *dir, struct dentry *d, const struct vfs_new *what)
{
	struct vfs_new new = inherit(dir->inode, what);
	int err;

	/* Who makes names when they are asked for has been asked already. */
	if (dir->inode->ops->lookup && !dir->inode->ops->create)
		return -ENOENT;
	err = may_change(dir);
	return err ? err : dir->inode->ops->create(dir->inode, d, &new);
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
	err = create_inode(dir, d, what);
	if (err)
		return err;
	dentry_link(d);
	if (S_ISDIR(what->mode))
		dir->inode->nlink++;
	touch_directory(dir->inode);
	return 0;
}

int vfs_create_nameless(struct dentry *dir, struct dentry *d, const struct vfs_new *what)
{
	int err = dir->inode->ops->create ? create_inode(dir, d, what) : -EOPNOTSUPP;

	if (!err)
		d->inode->nlink = 0;
	return err;
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
	err = inode->nlink || inode->linkable ? link_locked(dir, d, inode) : -ENOENT;
	if (!err) {
		inode->nlink++;
		inode->linkable = false;
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

/* may_remove - in a sticky directory only the file's owner and the directory's remove and rename. */
static int may_remove(const struct dentry *dir, const struct dentry *d)
{
	u32 me = cred_now()->fsuid;
	int err = may_change(dir);

	if (err || !(dir->inode->mode & S_ISVTX) || me == d->inode->uid || me == dir->inode->uid)
		return err;
	return cred_capable(CAP_FOWNER) ? 0 : -EPERM;
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
	err = d ? may_remove(dir, d) : -ENOENT;
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

static int check_exchange(const struct rename_job *j)
{
	if (j->new_name->wants_dir && !S_ISDIR(j->target->inode->mode))
		return -ENOTDIR;
	return 0;
}

static int check_rename(const struct rename_job *j)
{
	bool is_dir = S_ISDIR(j->old->inode->mode);
	int err = may_remove(j->old_dir, j->old);

	if (!err)
		err = j->target ? may_remove(j->new_dir, j->target) : may_change(j->new_dir);
	if (err)
		return err;
	if (j->old->mounted || (j->target && j->target->mounted))
		return -EBUSY;
	if (!is_dir && j->old_name->wants_dir)
		return -ENOTDIR;
	if (j->flags & RENAME_EXCHANGE)
		return check_exchange(j);
	if (!is_dir && j->new_name->wants_dir)
		return -ENOTDIR;
	if (is_dir && !j->target && j->old_dir != j->new_dir) {
		err = vfs_permission(j->old->inode, W_OK, false); /* its ".." changes */
		if (err)
			return err;
	}
	if (!j->target)
		return 0;
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

/* exchange_names - both stay, each in the place of the other. */
static void exchange_names(struct rename_job *j)
{
	struct dentry *a = j->old, *b = j->target;
	char *name = a->name;
	u32 len = a->name_len;
	int more = S_ISDIR(a->inode->mode) - S_ISDIR(b->inode->mode); /* directories in new_dir */

	dentry_unlink(a);
	dentry_unlink(b);
	a->name = b->name;
	a->name_len = b->name_len;
	b->name = name;
	b->name_len = len;
	dentry_set_parent(a, j->new_dir);
	dentry_set_parent(b, j->old_dir);
	dentry_link(a);
	dentry_link(b);
	j->new_dir->inode->nlink += (u32)more;
	j->old_dir->inode->nlink -= (u32)more;
	touch_directory(j->old_dir->inode);
	touch_directory(j->new_dir->inode);
	a->inode->ctime = b->inode->ctime = vfs_now();
}

/* find_both - what the names stand for now, and what is wrong with that whoever asks. */
static int find_both(struct rename_job *j)
{
	j->old = dentry_find(j->old_dir, j->old_name->name, j->old_name->len);
	if (!j->old)
		return -ENOENT;
	j->target = dentry_find(j->new_dir, j->new_name->name, j->new_name->len);
	if (j->target && (j->flags & RENAME_NOREPLACE))
		return -EEXIST;
	if (!j->target && (j->flags & RENAME_EXCHANGE))
		return -ENOENT;
	if (is_below(j->new_dir, j->old))
		return -EINVAL;
	if (j->target && is_below(j->old_dir, j->target))
		return j->flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	return 0;
}

static int check_and_rename(struct rename_job *j)
{
	int err = check_rename(j);

	if (err)
		return err;
	if (j->flags & RENAME_EXCHANGE)
		exchange_names(j);
	else
		move_name(j);
	return 0;
}

/* What is replaced is locked as for a removal: nothing is made in a directory between being found empty and being gone,
 * and links are counted right. */
static int rename_locked(struct rename_job *j)
{
	int err = find_both(j);

	if (err)
		return err;
	if (j->target && j->target->inode == j->old->inode)
		return 0;
	if (j->target)
		mutex_lock_nested(&j->target->inode->lock);
	err = check_and_rename(j);
	if (j->target)
		mutex_unlock(&j->target->inode->lock);
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
