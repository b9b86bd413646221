/* SPDX-License-Identifier: MIT */
/* sys_names.c - system calls that make, remove and move names. */
#include <uapi/errno.h>
#include "fs/file.h"
#include "fs/vfs.h"
#include "kernel/cred.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

/* A directory and a name in it, from user space. */
struct user_name {
	struct dentry *dir; /* referenced */
	struct last_name last;
};

static int name_from_user(int dirfd, vaddr_t upath, struct user_name *n)
{
	struct user_path p;
	int err = path_begin(dirfd, upath, &p);

	if (err)
		return err;
	err = vfs_lookup_parent(p.start, p.path, 0, &n->dir, &n->last);
	path_end(&p);
	return err;
}

/* missing - a name followed by a slash cannot be made, but it may exist. */
static int missing(const struct user_name *n)
{
	struct dentry *d;
	int err = vfs_find_child(n->dir, n->last.name, n->last.len, &d);

	if (err)
		return err;
	dentry_put(d);
	return -EEXIST;
}

/* create - the common part of mkdir and symlink. */
static long create(int dirfd, vaddr_t upath, struct vfs_new *what)
{
	struct user_name n;
	int err = name_from_user(dirfd, upath, &n);

	if (err)
		return err;
	what->uid = cred_now()->fsuid;
	what->gid = cred_now()->fsgid;
	if (n.last.special)
		err = -EEXIST;
	else if (n.last.wants_dir && !S_ISDIR(what->mode))
		err = missing(&n);
	else
		err = vfs_create(n.dir, n.last.name, n.last.len, what, NULL);
	dentry_put(n.dir);
	return err;
}

long sys_mkdirat(int dirfd, vaddr_t upath, u32 mode)
{
	struct vfs_new what = {
		.mode = S_IFDIR | (mode & 01777 & ~current_process->fs->umask),
	};

	return create(dirfd, upath, &what);
}

/* dev as C libraries encode it: 12 bits of major number above the low 8 of 20 bits of minor number. */
long sys_mknodat(int dirfd, vaddr_t upath, u32 mode, u32 dev)
{
	u32 type = mode & S_IFMT ? mode & S_IFMT : S_IFREG;
	struct vfs_new what = {
		.mode = type | (mode & 07777 & ~current_process->fs->umask),
		.rdev = DEV_MAKE(dev >> 8 & 0xfff, (dev & 0xff) | (dev >> 12 & 0xfff00)),
	};

	switch (type) {
	case S_IFREG:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		break;
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
	if ((type == S_IFCHR || type == S_IFBLK) && !cred_capable(CAP_MKNOD))
		return -EPERM;
	return create(dirfd, upath, &what);
}

long sys_symlinkat(vaddr_t utarget, int dirfd, vaddr_t upath)
{
	struct vfs_new what = {.mode = S_IFLNK | 0777};
	char *target;
	long err = path_from_user(utarget, &target);

	if (err)
		return err;
	what.target = target;
	err = *target ? create(dirfd, upath, &what) : -ENOENT;
	path_free(target);
	return err;
}

/* not_removable - unlink of a name followed by a slash: what is wrong with it. */
static int not_removable(const struct user_name *n)
{
	struct dentry *d;
	int err = vfs_find_child(n->dir, n->last.name, n->last.len, &d);

	if (err)
		return err;
	err = S_ISDIR(d->inode->mode) ? -EISDIR : -ENOTDIR;
	dentry_put(d);
	return err;
}

long sys_unlinkat(int dirfd, vaddr_t upath, int flags)
{
	bool directory = flags & AT_REMOVEDIR;
	struct user_name n;
	int err;

	if (flags & ~AT_REMOVEDIR)
		return -EINVAL;
	err = name_from_user(dirfd, upath, &n);
	if (err)
		return err;
	if (n.last.special)
		err = !directory      ? -EISDIR
		      : !n.last.len   ? -EBUSY
		      : n.last.is_dot ? -EINVAL
				      : -ENOTEMPTY;
	else if (n.last.wants_dir && !directory)
		err = not_removable(&n);
	else
		err = vfs_unlink(n.dir, n.last.name, n.last.len, directory);
	dentry_put(n.dir);
	return err;
}

/* link_source - with AT_EMPTY_PATH the file behind a descriptor, which takes a capability. */
static int link_source(int dirfd, vaddr_t upath, int flags, struct dentry **out)
{
	struct file *f;
	char first;
	int err = 0;

	if (!(flags & AT_EMPTY_PATH) || copy_from_user(&first, upath, 1) || first)
		return path_lookup_user(dirfd, upath, flags & AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0,
					out);
	if (!cred_capable(CAP_DAC_READ_SEARCH))
		return -ENOENT;
	f = fd_get_any(dirfd);
	if (!f)
		return -EBADF;
	if (f->dentry) {
		dentry_get(f->dentry);
		*out = f->dentry;
	} else {
		err = -EXDEV;
	}
	file_put(f);
	return err;
}

long sys_linkat(int old_dirfd, vaddr_t old_path, int new_dirfd, vaddr_t new_path, int flags)
{
	struct dentry *old;
	struct user_name n;
	int err;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = link_source(old_dirfd, old_path, flags, &old);
	if (err)
		return err;
	err = name_from_user(new_dirfd, new_path, &n);
	if (!err) {
		if (n.last.special)
			err = -EEXIST;
		else if (n.last.wants_dir)
			err = missing(&n);
		else
			err = vfs_link(old, n.dir, n.last.name, n.last.len);
		dentry_put(n.dir);
	}
	dentry_put(old);
	return err;
}

long sys_renameat2(int old_dirfd, vaddr_t old_path, int new_dirfd, vaddr_t new_path, u32 flags)
{
	struct user_name from, to;
	int err;

	if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) ||
	    flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	err = name_from_user(old_dirfd, old_path, &from);
	if (err)
		return err;
	err = name_from_user(new_dirfd, new_path, &to);
	if (err)
		goto put_from;
	if (from.last.special || to.last.special)
		err = flags & RENAME_NOREPLACE && !from.last.special ? -EEXIST : -EBUSY;
	else
		err = vfs_rename(from.dir, &from.last, to.dir, &to.last, flags);
	dentry_put(to.dir);
put_from:
	dentry_put(from.dir);
	return err;
}

long sys_renameat(int old_dirfd, vaddr_t old_path, int new_dirfd, vaddr_t new_path)
{
	return sys_renameat2(old_dirfd, old_path, new_dirfd, new_path, 0);
}
