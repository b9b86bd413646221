/* SPDX-License-Identifier: MIT */
/*
 * open.c - from a name to an open file: what open(2) and execve(2) do.
 *
 * Opening checks, in this order: the kind of file against the flags, the flags of the file system, the
 * permissions, and whether there is anything behind the file (a driver). O_PATH asks for the name
 * alone and skips all of that.
 */
#include <uapi/errno.h>
#include <uapi/mount.h>
#include "fs/file.h"
#include "fs/vfs.h"
#include "kernel/cred.h"
#include "kernel/process.h"
#include "lib/printf.h"
#include "lib/string.h"

/* What O_PATH gives: nothing can be done with it. */
static const struct file_ops path_ops;

/* wanted_access - R_OK and W_OK as the flags imply them. Access mode 3 needs both and gives neither. */
static unsigned wanted_access(u32 flags)
{
	static const u8 wanted[4] = {R_OK, W_OK, R_OK | W_OK, R_OK | W_OK};

	return wanted[flags & O_ACCMODE] | (flags & O_TRUNC ? W_OK : 0);
}

/* check_kind - does the kind of file go with the flags? */
static int check_kind(const struct inode *inode, u32 flags, unsigned want)
{
	if (S_ISDIR(inode->mode) && (flags & O_CREAT))
		return -EISDIR;
	if ((flags & O_DIRECTORY) && !S_ISDIR(inode->mode))
		return -ENOTDIR;
	if (S_ISLNK(inode->mode))
		return -ELOOP;
	if (S_ISDIR(inode->mode) && (want & W_OK))
		return -EISDIR;
	if ((S_ISCHR(inode->mode) || S_ISBLK(inode->mode)) && super_has_flag(inode, MS_NODEV))
		return -EACCES;
	return 0;
}

static int check_open(const struct inode *inode, u32 flags)
{
	unsigned want = wanted_access(flags);
	int err = check_kind(inode, flags, want);

	if (!err)
		err = vfs_permission(inode, want, false);
	if (!err && (flags & O_NOATIME) && !inode_is_mine(inode))
		err = -EPERM;
	return err;
}

static const struct file_ops *ops_of(const struct inode *inode)
{
	return S_ISCHR(inode->mode) && !inode->fops ? device_find(inode->rdev) : inode->fops;
}

static int truncate_opened(struct inode *inode)
{
	int err;

	if (!S_ISREG(inode->mode) || !inode->ops->resize)
		return 0;
	err = inode_hold_write(inode, 1); /* the file may be open for reading only */
	if (err)
		return err;
	mutex_lock(&inode->lock);
	err = inode->ops->resize(inode, 0);
	mutex_unlock(&inode->lock);
	inode_release_write(inode, 1);
	return err;
}

/* hold_write - how: 1 or -1, for as long as the file is open. Only regular files care. */
static int hold_write(struct file *f, int how)
{
	int err = S_ISREG(f->inode->mode) ? inode_hold_write(f->inode, how) : 0;

	if (!err && S_ISREG(f->inode->mode))
		f->holds_write = (s8)how;
	return err;
}

static int open_path(struct dentry *d, u32 flags, struct file **out)
{
	int err;

	if ((flags & O_DIRECTORY) && !S_ISDIR(d->inode->mode))
		return -ENOTDIR;
	err = file_alloc(d->inode, &path_ops, flags, out);
	if (!err)
		file_set_name(*out, d);
	return err;
}

/* open_checked - all permissions are given. */
static int open_checked(struct dentry *d, u32 flags, struct file **out)
{
	const struct file_ops *ops = ops_of(d->inode);
	struct file *f;
	int err = ops ? file_alloc(d->inode, ops, flags, &f) : -ENXIO;

	if (err)
		return err;
	file_set_name(f, d);
	if (f->can_write)
		err = hold_write(f, 1);
	f->flags |= flags & O_NOCTTY; /* for open alone */
	if (!err && f->ops->open)
		err = f->ops->open(f);
	f->flags &= ~(u32)O_NOCTTY;
	if (!err && (flags & O_DIRECT) && !d->inode->obj)
		err = -EINVAL; /* there is no cache to go past */
	if (!err && (flags & O_TRUNC))
		err = truncate_opened(d->inode);
	if (err)
		file_put(f);
	else
		*out = f;
	return err;
}

int file_open(struct dentry *d, u32 flags, struct file **out)
{
	int err;

	if (flags & O_PATH)
		return open_path(d, flags, out);
	err = check_open(d->inode, flags);
	return err ? err : open_checked(d, flags, out);
}

/* --- files that are made ----------------------------------------------------------------------------- */

static struct vfs_new regular_file(u32 mode)
{
	struct vfs_new what = {.mode = S_IFREG | (mode & 07777)};

	if (current->proc) {
		what.uid = cred_now()->fsuid;
		what.gid = cred_now()->fsgid;
		what.mode &= ~current_process->fs->umask;
	}
	return what;
}

/* find_or_make - what open(2) with O_CREAT is about; *made tells whether it is new. */
static int find_or_make(struct dentry *at, const char *path, const struct file_how *how,
			struct dentry **out, bool *made)
{
	bool follow = !(how->flags & (O_NOFOLLOW | O_EXCL)), exclusive = how->flags & O_EXCL;
	struct vfs_new what = regular_file(how->mode);
	struct last_name last;
	struct dentry *dir;
	int err = vfs_lookup_parent(at, path, how->walk | (follow ? WALK_FOLLOW : 0), &dir, &last);

	if (err)
		return err;
	if (last.jumped) {
		*out = dir;
		return 0;
	}
	err = last.special || last.wants_dir ? -EISDIR
					     : vfs_find_child(dir, last.name, last.len, out);
	if (!err && exclusive) {
		dentry_put(*out);
		err = -EEXIST;
	}
	while (err == -ENOENT) { /* it may come and go between being looked for and being made */
		err = vfs_create(dir, last.name, last.len, &what, out);
		*made = !err;
		if (err != -EEXIST || exclusive)
			break;
		err = vfs_find_child(dir, last.name, last.len, out);
	}
	if (!err)
		*out = mount_cross(*out);
	dentry_put(dir);
	return err;
}

static int open_or_make(struct dentry *at, const char *path, const struct file_how *how,
			struct file **out)
{
	struct dentry *d;
	bool made = false;
	int err = find_or_make(at, path, how, &d, &made);

	if (err)
		return err;
	/* Whoever makes a file may open it, whatever mode it gave it. */
	err = made ? open_checked(d, how->flags & ~(u32)O_TRUNC, out)
		   : file_open(d, how->flags, out);
	dentry_put(d);
	return err;
}

/* name_by_number - what a file without a name is called in /proc: "#" and the number of its inode. */
static int name_by_number(struct dentry *d)
{
	char text[24], *name;
	size_t len = (size_t)snprintf(text, sizeof(text), "#%lu", d->inode->ino);

	name = dentry_name_copy(text, len);
	if (!name)
		return -ENOMEM;
	dentry_name_free(d->name);
	d->name = name;
	d->name_len = (u32)len;
	return 0;
}

/* make_nameless - O_TMPFILE: a file in a directory's file system that linkat(2) may give a name later. */
static int make_nameless(struct dentry *dir, const struct file_how *how, struct dentry **out)
{
	struct vfs_new what = regular_file(how->mode);
	struct dentry *d = dentry_alloc(dir, "#", 1);
	int err;

	if (!d)
		return -ENOMEM;
	d->unlinked = true;
	mutex_lock(&dir->inode->lock);
	err = vfs_create_nameless(dir, d, &what);
	mutex_unlock(&dir->inode->lock);
	if (!err) {
		d->inode->linkable = !(how->flags & O_EXCL);
		err = name_by_number(d);
	}
	if (err)
		dentry_put(d);
	else
		*out = d;
	return err;
}

static int open_nameless(struct dentry *at, const char *path, const struct file_how *how,
			 struct file **out)
{
	struct dentry *dir, *d;
	int err = vfs_lookup(at, path, how->walk | WALK_FOLLOW | WALK_DIRECTORY, &dir);

	if (err)
		return err;
	err = make_nameless(dir, how, &d);
	dentry_put(dir);
	if (err)
		return err;
	err = open_checked(d, how->flags, out);
	dentry_put(d);
	return err;
}

/* --- by name ----------------------------------------------------------------------------------------- */

int file_open_at(struct dentry *at, const char *path, const struct file_how *how, struct file **out)
{
	unsigned walk = how->walk;
	struct dentry *d;
	int err;

	if ((how->flags & O_TMPFILE) == O_TMPFILE)
		return open_nameless(at, path, how, out);
	if (how->flags & O_CREAT)
		return open_or_make(at, path, how, out);
	if (!(how->flags & O_NOFOLLOW))
		walk |= WALK_FOLLOW;
	err = vfs_lookup(at, path, walk, &d);
	if (err)
		return err;
	err = file_open(d, how->flags, out);
	dentry_put(d);
	return err;
}

static int open_program(struct dentry *d, struct file **out)
{
	int err;

	if (S_ISLNK(d->inode->mode))
		return -ELOOP;
	if (!S_ISREG(d->inode->mode) || !d->inode->fops)
		return -EACCES;
	err = vfs_permission(d->inode, X_OK, false);
	if (!err)
		err = file_alloc(d->inode, d->inode->fops, O_RDONLY, out);
	if (err)
		return err;
	file_set_name(*out, d);
	err = hold_write(*out, -1);
	if (err)
		file_put(*out);
	return err;
}

int file_open_program(struct dentry *at, const char *path, unsigned walk, struct file **out)
{
	struct dentry *d;
	int err;

	if (!*path)
		return open_program(at, out);
	err = vfs_lookup(at, path, walk, &d);
	if (err)
		return err;
	err = open_program(d, out);
	dentry_put(d);
	return err;
}

int file_open_path(const char *path, u32 flags, u32 mode, struct file **out)
{
	struct file_how how = {.flags = flags, .mode = mode};
	struct dentry *cwd = vfs_root;
	int err;

	if (current->proc)
		cwd = fs_context_cwd(current_process->fs);
	else
		dentry_get(cwd);
	err = file_open_at(cwd, path, &how, out);
	dentry_put(cwd);
	return err;
}
